extension RowPlan.Column {
    /// The name under which an encoder takes the column's value by ``RowEncoder/setHeader(_:_:)``; nil for other
    /// sources.
    ///
    /// Values from outside a row's message come to the encoder like headers. Their names begin with NUL so that they
    /// differ from the usual names of headers; if a record has such a header all the same, the value replaces it.
    var headerName: String? {
        switch source {
        case .header(let name): name
        case .message(let path): "\0message\(takesJSON ? " json" : "") \(path)"
        case .envelope(let path): "\0envelope\(takesJSON ? " json" : "") \(path)"
        case .path, .record, .rest: nil
        }
    }

    /// Whether the column takes JSON text instead of characters.
    fileprivate var takesJSON: Bool {
        var base = type
        while case .domain(let inner, _) = base { base = inner }
        return base == .json || base == .jsonb
    }
}

extension RowPlan {
    /// The names of the columns' headers, without duplicates: those of ``RowEncoder/headerNames``.
    var headerNames: [String] {
        var names: [String] = []
        for name in columns.compactMap(\.headerName) where !names.contains(name) { names.append(name) }
        return names
    }
}

/// A value from outside a row's message, and where the encoder takes it.
struct OuterValue {
    let path: JSONPath
    /// In ``RowEncoder/headerNames``.
    let header: Int
    /// Whether it is handed over as JSON text instead of characters.
    let isJSON: Bool

    /// The values of columns with the source `message` or `envelope`.
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
