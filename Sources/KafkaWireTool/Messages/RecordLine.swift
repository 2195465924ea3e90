/// Parses a line of a dump, as `JSONEnvelope` and kcat write it, into the parts of a record.
///
/// Each line overwrites the previous one to reuse its memory. Strings that are not valid UTF-8 keep their bytes,
/// because kcat writes binary keys and values as they are.
struct RecordLine {
    /// The reason why a line can't be parsed.
    struct Problem: Error, Equatable {
        /// The problem, as the end of a sentence.
        let sentence: String
    }

    /// The members that kcat gives a record. Others are ignored.
    private enum Member: Int, CaseIterable {
        case topic, partition, offset, tstype, ts, broker, headers, key, payload
        case keyError, payloadError, keySchema, valueSchema

        var name: String {
            switch self {
            case .keyError: "key_error"
            case .payloadError: "payload_error"
            case .keySchema: "key_schema_id"
            case .valueSchema: "value_schema_id"
            default: "\(self)"
            }
        }

        static let names = allCases.map { Array($0.name.utf8) }
    }

    struct Header: Equatable {
        let name: Range<Int>
        /// nil for null.
        let value: Range<Int>?
    }

    /// The unescaped text of all fields. The ranges below refer to it.
    private(set) var bytes: [UInt8] = []
    /// nil if the line has none.
    private(set) var topic: Range<Int>?
    private(set) var partition: Int32?
    /// In milliseconds since 1970.
    private(set) var timestamp: Int64?
    /// nil for null, and if the line has none.
    private(set) var key: Range<Int>?
    /// nil for null.
    private(set) var value: Range<Int>?
    private(set) var headers: [Header] = []
    /// One bit for each member that the line has.
    private var seen = 0

    /// Reads a line.
    ///
    /// - Throws: A `Problem` if it is not a JSON object with the members of a record.
    mutating func read(_ line: RawSpan) throws(Problem) {
        bytes.removeAll(keepingCapacity: true)
        headers.removeAll(keepingCapacity: true)
        (topic, partition, timestamp, key, value, seen) = (nil, nil, nil, nil, nil, 0)
        var reader = JSONReader(line)
        guard reader.take(UInt8(ascii: "{")) else { throw reader.problem("an object is expected") }
        if !reader.take(UInt8(ascii: "}")) {
            repeat {
                let member = try self.member(&reader)
                guard reader.take(UInt8(ascii: ":")) else { throw reader.problem("a colon is expected") }
                if let member { try read(member, &reader) } else { try reader.skipValue(&bytes) }
            } while reader.take(UInt8(ascii: ","))
            guard reader.take(UInt8(ascii: "}")) else { throw reader.problem("a comma or } is expected") }
        }
        guard reader.isAtEnd else { throw reader.problem("nothing more is expected") }
        guard has(.payload) else {
            throw Problem(sentence: "it has no \"payload\"; a tombstone has \"payload\":null")
        }
    }

    private func has(_ member: Member) -> Bool { seen & 1 << member.rawValue != 0 }

    /// Reads the name of a member.
    ///
    /// - Returns: nil for a member to ignore.
    private mutating func member(_ reader: inout JSONReader) throws(Problem) -> Member? {
        guard reader.take(UInt8(ascii: "\"")) else { throw reader.problem("the name of a member is expected") }
        let start = bytes.count
        try reader.string(into: &bytes)
        defer { bytes.removeLast(bytes.count - start) }
        guard let index = Member.names.indices.first(where: { ends(with: Member.names[$0], from: start) }),
            let member = Member(rawValue: index)
        else { return nil }
        guard !has(member) else { throw Problem(sentence: "it has \"\(member.name)\" twice") }
        seen |= 1 << member.rawValue
        return member
    }

    private mutating func read(_ member: Member, _ reader: inout JSONReader) throws(Problem) {
        switch member {
        case .topic:
            guard let text = try text(&reader, "topic"), !text.isEmpty else {
                throw Problem(sentence: "its \"topic\" is not a name")
            }
            topic = text
        case .partition:
            guard let number = try reader.integer("partition"), let index = Int32(exactly: number), index >= 0 else {
                throw Problem(sentence: "its \"partition\" is not a number from 0 to 2147483647")
            }
            partition = index
        case .ts: timestamp = try reader.integer("ts")
        case .headers: try readHeaders(&reader)
        case .key: key = try text(&reader, "key")
        case .payload: value = try text(&reader, "payload")
        // kcat writes null for a key or value that it could not decode, and adds one of these members.
        case .keyError, .payloadError:
            throw Problem(sentence: "it has \"\(member.name)\": the message could not be read when it was dumped")
        case .offset, .tstype, .broker, .keySchema, .valueSchema: try reader.skipValue(&bytes)
        }
    }

    /// Reads the headers: names and values in turn.
    private mutating func readHeaders(_ reader: inout JSONReader) throws(Problem) {
        if reader.takeNull() { return }
        guard reader.take(UInt8(ascii: "[")) else {
            throw reader.problem("\"headers\" has to be an array of names and values")
        }
        if reader.take(UInt8(ascii: "]")) { return }
        repeat {
            guard let name = try text(&reader, "headers") else {
                throw Problem(sentence: "a header has null for its name")
            }
            guard reader.take(UInt8(ascii: ",")) else {
                throw reader.problem("\"headers\" has a name without a value")
            }
            headers.append(Header(name: name, value: try text(&reader, "headers")))
        } while reader.take(UInt8(ascii: ","))
        guard reader.take(UInt8(ascii: "]")) else { throw reader.problem("a comma or ] is expected") }
    }

    /// Reads a string, `{"base64":"…"}`, or null.
    ///
    /// - Returns: Its range in `bytes`; nil for null.
    private mutating func text(_ reader: inout JSONReader, _ name: String) throws(Problem) -> Range<Int>? {
        let start = bytes.count
        if reader.take(UInt8(ascii: "\"")) {
            try reader.string(into: &bytes)
        } else if reader.take(UInt8(ascii: "{")) {
            try readBase64(&reader, name, from: start)
        } else if reader.takeNull() {
            return nil
        } else {
            throw reader.problem("\"\(name)\" has to be a string, null or {\"base64\":\"…\"}")
        }
        return start..<bytes.count
    }

    private static let base64 = Array("base64".utf8)

    /// Whether `bytes` from `start` on equals a text. With a slice instead, the next change would copy the bytes.
    private func ends(with text: [UInt8], from start: Int) -> Bool {
        guard bytes.count - start == text.count else { return false }
        for index in text.indices where bytes[start + index] != text[index] { return false }
        return true
    }

    private mutating func readBase64(_ reader: inout JSONReader, _ name: String, from start: Int) throws(Problem) {
        let wrong = "the object in \"\(name)\" has to be {\"base64\":\"…\"}"
        guard reader.take(UInt8(ascii: "\"")) else { throw reader.problem(wrong) }
        try reader.string(into: &bytes)
        guard ends(with: Self.base64, from: start), reader.take(UInt8(ascii: ":")), reader.take(UInt8(ascii: "\""))
        else { throw reader.problem(wrong) }
        bytes.removeLast(bytes.count - start)
        try reader.string(into: &bytes)
        guard reader.take(UInt8(ascii: "}")) else { throw reader.problem(wrong) }
        guard Base64.decode(&bytes, from: start) else {
            throw Problem(sentence: "the base64 in \"\(name)\" is not valid")
        }
    }
}
