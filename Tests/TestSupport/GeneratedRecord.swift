/// A random record of any shape: any bytes; null and empty keys, values and header values; and several headers of the
/// same name.
package struct GeneratedRecord: Hashable, Sendable {
    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: [UInt8]?

        package init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }

    package let partition: Int32
    package let key: [UInt8]?
    package let value: [UInt8]?
    package let headers: [Header]
    /// In milliseconds since 1970.
    package let timestamp: Int64

    package init(partition: Int32, key: [UInt8]?, value: [UInt8]?, headers: [Header], timestamp: Int64) {
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestamp = timestamp
    }

    /// Generates a record.
    ///
    /// - Parameter times: The range of its timestamp, in milliseconds since 1970.
    package init(
        partitions: Int32, times: ClosedRange<Int64> = 0...1_700_000_000_000, using random: inout SeededRandom
    ) {
        var headers: [Header] = []
        if Bool.random(using: &random) {
            let names = ["a", "a", "", "é\u{0}\n", "long name of a header"]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                headers.append(
                    Header(name: names.randomElement(using: &random) ?? "", value: Self.bytes(using: &random)))
            }
        }
        self.init(
            partition: .random(in: 0..<partitions, using: &random), key: Self.bytes(using: &random),
            value: Self.bytes(using: &random), headers: headers, timestamp: .random(in: times, using: &random))
    }

    /// Null, empty, any bytes, ASCII, text with characters to escape in JSON or for a terminal, or plain text.
    private static func bytes(using random: inout SeededRandom) -> [UInt8]? {
        let count = Int.random(in: 1...40, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return nil
        case 1: return []
        case 2: return (0..<count).map { _ in .random(in: 0...255, using: &random) }
        case 3: return (0..<count).map { _ in .random(in: 0...127, using: &random) }
        case 4:
            let letters = Array("aé€😀\u{7f}\u{9b}\u{2028}\"\\/\n\r\t\u{0}\u{1f} z")
            return Array(String((0..<count).map { _ in letters.randomElement(using: &random) ?? "x" }).utf8)
        default: return Array("plain text, number \(random.next())".utf8)
        }
    }
}
