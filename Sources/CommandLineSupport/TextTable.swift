/// Columns of text, side by side.
public enum TextTable {
    /// A line for each row, the first of which has the headings. All columns but the first and the last are aligned to
    /// the right.
    public static func lines(of rows: [[String]]) -> String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                if column == count - 1 { return cell }
                return column == 0 ? cell + pad : pad + cell
            }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
