import CommandLineSupport

/// A table with a header, in which each column is as wide as its widest cell.
struct TextTable {
    private var rows: [[String]]

    init(_ header: [String]) { rows = [header] }

    /// Adds a row. Control characters are escaped, so that a cell cannot start a new line.
    mutating func add(_ row: [String]) { rows.append(row.map { ForeignText.visible($0) }) }

    /// The header and the rows, without line feeds.
    var lines: [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return cells.joined(separator: "  ")
        }
    }
}
