import TestSupport

/// The results of testing each capability with each broker and kind of security, as a Markdown table.
struct MatrixTable: Sendable {
    enum Cell: Sendable, Hashable {
        case works
        case excluded(String)
    }

    private struct Row: Sendable {
        let broker: String
        let security: KafkaSecurity
        let cells: [Cell]
    }

    private var rows: [Row] = []

    mutating func add(_ broker: BrokerKind, _ security: KafkaSecurity, _ cells: [Capability: Cell]) {
        rows.append(
            Row(
                broker: broker.description, security: security,
                cells: Capability.allCases.map { cells[$0] ?? .excluded("not tried") }))
    }

    /// The rows in order, followed by numbered footnotes that explain empty cells.
    var markdown: String {
        var reasons: [String] = []
        var lines = [
            "| broker | security | " + Capability.allCases.map(\.rawValue).joined(separator: " | ") + " |",
            "| --- | --- |" + String(repeating: " --- |", count: Capability.allCases.count),
        ]
        for row in rows {
            let cells = row.cells.map { cell in
                switch cell {
                case .works: return "yes"
                case .excluded(let reason):
                    if !reasons.contains(reason) { reasons.append(reason) }
                    return "(\((reasons.firstIndex(of: reason) ?? 0) + 1))"
                }
            }
            lines.append("| \(row.broker) | \(row.security) | " + cells.joined(separator: " | ") + " |")
        }
        lines.append("")
        for (index, reason) in reasons.enumerated() {
            lines.append("(\(index + 1)) \(reason)" + (index + 1 < reasons.count ? "<br>" : ""))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
