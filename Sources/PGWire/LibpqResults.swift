import CPQ

// Copies libpq's results, which are freed as soon as they are read.

extension PostgresResult {
    @unsafe init(_ result: OpaquePointer) {
        let count = unsafe PQnfields(result)
        let names = (0..<max(count, 0)).map { unsafe PQfname(result, $0).map { unsafe String(cString: $0) } ?? "" }
        columns = names
        rows = (0..<max(unsafe PQntuples(result), 0)).map { row in
            let values = (0..<max(count, 0)).map { column -> String? in
                if unsafe PQgetisnull(result, row, column) == 1 { return nil }
                return unsafe PQgetvalue(result, row, column).map { unsafe String(cString: $0) }
            }
            return PostgresRow(columns: names, values: values)
        }
        affectedRows = unsafe PQcmdTuples(result).flatMap { unsafe Int(String(cString: $0)) }
    }
}

/// The protocol's codes of message fields.
///
/// Source: PostgreSQL manual, "Error and Notice Message Fields".
private enum MessageField: Character {
    case severity = "V"
    case sqlState = "C"
    case message = "M"
    case detail = "D"
    case hint = "H"
    case context = "W"
    case schema = "s"
    case table = "t"
    case column = "c"
    case constraint = "n"

    @unsafe func text(_ result: OpaquePointer) -> String? {
        let code = Int32(rawValue.asciiValue ?? 0)
        return unsafe PQresultErrorField(result, code).map { unsafe String(cString: $0) }
    }
}

extension PostgresError {
    /// An error result from the server, or from libpq itself if it has no SQLSTATE.
    @unsafe init(_ result: OpaquePointer) {
        let text = unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
        let message = unsafe MessageField.message.text(result) ?? Self.oneLine(text)
        let sqlState = unsafe MessageField.sqlState.text(result)
        self.init(sqlState == nil ? .protocolViolation : .server, message, sqlState: sqlState)
        severity = unsafe MessageField.severity.text(result)
        detail = unsafe MessageField.detail.text(result)
        hint = unsafe MessageField.hint.text(result)
        context = unsafe MessageField.context.text(result)
        schema = unsafe MessageField.schema.text(result)
        table = unsafe MessageField.table.text(result)
        column = unsafe MessageField.column.text(result)
        constraint = unsafe MessageField.constraint.text(result)
    }

    /// libpq's lines joined into one, without a final full stop and without its hints, which are indented.
    static func oneLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("\t") }
        let words = lines.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        let line = words.joined(separator: "; ")
        return line.hasSuffix(".") ? String(line.dropLast()) : line
    }
}

/// Passes notices to the caller's closure.
final class NoticeReceiver {
    private let handler: (@Sendable (PostgresNotice) -> Void)?

    init(handler: (@Sendable (PostgresNotice) -> Void)?) {
        self.handler = handler
    }

    /// Replaces libpq's receiver. Must live as long as the connection.
    @unsafe func receiveAll(of connection: OpaquePointer) {
        unsafe PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                unsafe Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().receive(result)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    @unsafe private func receive(_ result: OpaquePointer) {
        guard let handler else { return }
        let notice = unsafe PostgresNotice(
            severity: MessageField.severity.text(result) ?? "NOTICE",
            sqlState: MessageField.sqlState.text(result),
            message: MessageField.message.text(result)
                ?? PostgresError.oneLine(PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""),
            detail: MessageField.detail.text(result),
            hint: MessageField.hint.text(result))
        handler(notice)
    }
}
