extension RowPlan.Column {
    /// The name under which ``RowEncoder/setHeader(_:_:)`` receives the column's value; nil for other sources.
    ///
    /// Values from outside a row's message reach the encoder like headers. Their names begin with NUL to differ from
    /// the usual names of headers. If a record does have a header of that name, the outer value replaces it.
    var headerName: String? {
        switch source {
        case .header(let name): name
        case .message(let path): "\0message\(takesJSON ? " json" : "") \(path)"
        case .envelope(let path): "\0envelope\(takesJSON ? " json" : "") \(path)"
        case .path, .record, .rest: nil
        }
    }

    /// Whether the column needs JSON text instead of plain text.
    fileprivate var takesJSON: Bool {
        var base = type
        while case .domain(let inner, _) = base { base = inner }
        return base == .json || base == .jsonb
    }
}

extension RowPlan {
    /// The distinct header names of the columns, in the order of ``RowEncoder/headerNames``.
    var headerNames: [String] {
        var names: [String] = []
        for name in columns.compactMap(\.headerName) where !names.contains(name) { names.append(name) }
        return names
    }
}

/// A value from outside a row's message, and its header in the encoder.
struct OuterValue {
    let path: JSONPath
    /// The index in ``RowEncoder/headerNames``.
    let header: Int
    /// Whether it is passed as JSON text instead of plain text.
    let isJSON: Bool

    /// The values of columns whose source is `message` or `envelope`.
    static func all(in plan: RowPlan) -> (message: [OuterValue], envelope: [OuterValue]) {
        let names = plan.headerNames
        var message: [OuterValue] = []
        var envelope: [OuterValue] = []
        for column in plan.columns {
            guard let name = column.headerName, let header = names.firstIndex(of: name) else { continue }
            switch column.source {
            case .message(let path):
                message.append(OuterValue(path: path, header: header, isJSON: column.takesJSON))
            case .envelope(let path):
                envelope.append(OuterValue(path: path, header: header, isJSON: column.takesJSON))
            case .path, .header, .record, .rest: break
            }
        }
        return (message, envelope)
    }
}
