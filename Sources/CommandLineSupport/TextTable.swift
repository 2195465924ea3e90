/// Formats text in columns.
public enum TextTable {
    /// One line per row, of which the first has the headings. All columns except the first and the last are
    /// right-aligned.
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
