import CommandLineSupport

/// A CSV file of the plant: the passages or the concerns of some period.
struct PlantFile: Sendable {
    /// The columns in the file's order, which the messages keep.
    let columns: [PlantMessage.Column]
    /// The rows in the file's order.
    let messages: [PlantMessage]

    /// Reads the whole file; may block.
    ///
    /// - Throws: A failure with status `noInput`, or with `badData` that names the file, the line and what is expected
    ///   there.
    init(path: String, kind: PlantMessage.Kind) throws(Failure) {
        var lines = try LineReader(path: path)
        var row = CSVRow()
        guard try lines.next() else {
            throw Failure("\(path) is empty: it must begin with the line \(Self.header(of: kind))", status: .badData)
        }
        if let fault = row.read(Self.withoutByteOrderMark(lines.line)) { throw Self.fault(fault, in: lines) }
        let columns = try Self.columns(row, kind: kind, lines: lines)
        var messages: [PlantMessage] = []
        while try lines.next() {
            if lines.line.isEmpty { continue }
            if let fault = row.read(lines.line) { throw Self.fault(fault, in: lines) }
            guard row.count == columns.count else {
                throw Self.fault("the line has \(row.count) fields instead of \(columns.count)", in: lines)
            }
            messages.append(try Self.message(row, kind: kind, columns: columns, lines: lines))
        }
        self.columns = columns
        self.messages = messages
    }

    private static func header(of kind: PlantMessage.Kind) -> String {
        kind.columns.map(\.rawValue).joined(separator: ",")
    }

    private static func columns(_ row: CSVRow, kind: PlantMessage.Kind, lines: borrowing LineReader)
        throws(Failure) -> [PlantMessage.Column]
    {
        let names = (0..<row.count).map { String(decoding: row[$0], as: UTF8.self) }
        let columns = names.compactMap(PlantMessage.Column.init(rawValue:))
        let missing = kind.columns.filter { !columns.contains($0) }
        guard missing.isEmpty, names.count == kind.columns.count else {
            let lack = missing.isEmpty ? "" : " (missing: \(missing.map(\.rawValue).joined(separator: ", ")))"
            throw fault("the header must name the columns \(header(of: kind))\(lack)", in: lines)
        }
        return columns
    }

    private static func message(
        _ row: CSVRow, kind: PlantMessage.Kind, columns: [PlantMessage.Column], lines: borrowing LineReader
    ) throws(Failure) -> PlantMessage {
        var message = PlantMessage(
            kind: kind, unit: 0, timestamp: PlantTimestamp(microseconds: 0, fractionDigits: 0), collectionPoint: 0,
            zone: 0)
        for (index, column) in columns.enumerated() {
            let text = row[index]
            if column == .timestamp {
                guard let timestamp = PlantTimestamp(text) else {
                    throw fault("\(column.rawValue) is \(shown(text)), not a yyyy-MM-dd HH:mm:ss.S", in: lines)
                }
                message.timestamp = timestamp
                continue
            }
            guard let number = integer(text) else {
                throw fault(
                    "\(column.rawValue) is \(shown(text)), not a whole number from \(Int32.min) to \(Int32.max)",
                    in: lines)
            }
            switch column {
            case .unit: message.unit = number
            case .collectionPoint: message.collectionPoint = number
            case .zone, .zoneCharged: message.zone = number
            case .concern: message.concern = number
            case .timestamp: break
            }
        }
        return message
    }

    private static func integer(_ text: ArraySlice<UInt8>) -> Int32? {
        // Int32's own parser also accepts a plus sign, which JSON numbers do not have; as the number is rewritten, it
        // does no harm.
        text.count <= 20 ? Int32(String(decoding: text, as: UTF8.self)) : nil
    }

    @_lifetime(copy line)
    private static func withoutByteOrderMark(_ line: Span<UInt8>) -> Span<UInt8> {
        let hasMark = line.count >= 3 && line[0] == 0xef && line[1] == 0xbb && line[2] == 0xbf
        return line.extracting((hasMark ? 3 : 0)..<line.count)
    }

    private static func fault(_ what: String, in lines: borrowing LineReader) -> Failure {
        Failure("\(lines.path), line \(lines.lineNumber): \(what)", status: .badData)
    }

    /// A field for an error message: printable, and at most 40 bytes of it.
    private static func shown(_ text: ArraySlice<UInt8>) -> String {
        "'\(ForeignText.visible(String(decoding: text.prefix(40), as: UTF8.self)))\(text.count > 40 ? "…" : "")'"
    }
}
