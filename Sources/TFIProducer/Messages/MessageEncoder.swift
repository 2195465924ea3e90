/// Encodes messages as JSON objects. All messages share one buffer, so encoding allocates nothing.
struct MessageEncoder: Sendable {
    /// A member of an object: the text before the value, and the column of the value.
    private struct Member: Sendable {
        let prefix: TextWriter.Phrase
        let column: PlantMessage.Column
    }

    private let passageMembers: [Member]
    private let concernMembers: [Member]
    // The longest message has 5 names of at most 28 characters, 4 numbers of 11, a timestamp, and 22 punctuation marks.
    private var storage = InlineArray<256, UInt8>(repeating: 0)
    private var count = 0
    /// Consecutive messages usually have the same day: the number and text of the last one.
    private var day: Int64 = .min
    private var dayText = TextWriter.Phrase("")

    /// - Parameters:
    ///   - passageColumns: The order of a passage's members.
    ///   - concernColumns: The order of a concern's members.
    init(
        passageColumns: [PlantMessage.Column] = PlantMessage.Kind.passage.columns,
        concernColumns: [PlantMessage.Column] = PlantMessage.Kind.concern.columns
    ) {
        passageMembers = Self.members(passageColumns)
        concernMembers = Self.members(concernColumns)
    }

    private static func members(_ columns: [PlantMessage.Column]) -> [Member] {
        columns.enumerated().map { index, column in
            Member(
                prefix: TextWriter.Phrase("\(index == 0 ? "{" : ",")\"\(column.rawValue)\":"), column: column)
        }
    }

    /// The last encoded message.
    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(0..<count) }
    }

    /// Encodes the message into `bytes`.
    mutating func encode(_ message: PlantMessage) {
        let (day, time) = message.timestamp.dayAndTime
        if day != self.day {
            self.day = day
            dayText = TextWriter.Phrase("\"\(Self.text(ofDay: day)) ")
        }
        let members = message.kind == .passage ? passageMembers : concernMembers
        let dayText = dayText
        var writer = TextWriter(storage.mutableSpan)
        for member in members {
            writer.append(member.prefix)
            switch member.column {
            case .unit: writer.append(message.unit)
            case .timestamp:
                writer.append(dayText)
                Self.append(time, fractionDigits: message.timestamp.fractionDigits, to: &writer)
            case .collectionPoint: writer.append(message.collectionPoint)
            case .zone, .zoneCharged: writer.append(message.zone)
            case .concern: writer.append(message.concern)
            }
        }
        writer.append("}")
        count = writer.count
    }

    /// Writes `HH:mm:ss.S` and the closing quote.
    private static func append(_ microseconds: UInt64, fractionDigits: Int8, to writer: inout TextWriter) {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        writer.append(twoDigits: seconds / 3600)
        writer.append(":")
        writer.append(twoDigits: seconds / 60 % 60)
        writer.append(":")
        writer.append(twoDigits: seconds % 60)
        if fractionDigits > 0 {
            writer.append(".")
            var rest = fraction
            for _ in 0..<fractionDigits {
                writer.append(Unicode.Scalar(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 100_000)))
                rest = rest % 100_000 * 10
            }
        }
        writer.append("\"")
    }

    /// `yyyy-MM-dd`.
    private static func text(ofDay day: Int64) -> String {
        let date = PlantTimestamp.date(ofDay: day)
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }
}
