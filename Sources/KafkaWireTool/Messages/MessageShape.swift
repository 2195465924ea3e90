import KafkaWire

/// Splits a message into key and value.
struct MessageShape {
    /// Ranges in the input; nil for null.
    struct Fields: Equatable {
        var key: Range<Int>?
        var value: Range<Int>?
    }

    let headers: [RecordHeader]
    let fixedKey: [UInt8]?
    private let separator: [UInt8]?
    private let emptyIsNull: Bool

    init(_ options: MessageOptions) {
        headers = options.headers.map { RecordHeader($0.name, $0.value) }
        let isKeyNull = options.emptyIsNull && options.fixedKey?.isEmpty == true
        fixedKey = isKeyNull ? nil : options.fixedKey.map { Array($0.utf8) }
        separator = options.keySeparator.flatMap { $0.isEmpty ? nil : $0 }
        emptyIsNull = options.emptyIsNull
    }

    /// Finds the key and value of a message. Without a separator, the whole message is the value.
    ///
    /// - Parameter message: The message's range in `bytes`.
    func fields(of message: Range<Int>, in bytes: RawSpan) -> Fields {
        guard let separator, let place = position(of: separator, message, bytes) else {
            return Fields(key: nil, value: present(message))
        }
        return Fields(
            key: present(message.lowerBound..<place), value: present(place + separator.count..<message.upperBound))
    }

    private func present(_ range: Range<Int>) -> Range<Int>? { emptyIsNull && range.isEmpty ? nil : range }

    private func position(of separator: [UInt8], _ message: Range<Int>, _ bytes: RawSpan) -> Int? {
        var index = message.lowerBound
        while index + separator.count <= message.upperBound {
            var matched = 0
            while matched < separator.count, bytes[index + matched] == separator[matched] { matched += 1 }
            if matched == separator.count { return index }
            index += 1
        }
        return nil
    }
}
