/// An id as Kafka makes them for topics and directories (KIP-516): 128 bits, shown as 22 characters of base64url.
public struct KafkaUUID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The id that stands for "none".
    public static let zero = KafkaUUID(high: 0, low: 0)

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Parses the form of `description`; nil if the text does not have that form.
    public init?(_ text: String) {
        var bits: [UInt64] = [0, 0]
        let digits = Array(text.utf8)
        guard digits.count == 22 else { return nil }
        for (index, digit) in digits.enumerated() {
            guard let value = Self.alphabet.firstIndex(of: digit) else { return nil }
            // 128 bits are 21 digits of 6 bits and one of 2, whose lower bits are nothing but padding.
            guard index < 21 || value & 0xf == 0 else { return nil }
            for bit in 0..<(index < 21 ? 6 : 2) {
                let position = index * 6 + bit
                bits[position / 64] |= UInt64(value >> (5 - bit) & 1) << UInt64(63 - position % 64)
            }
        }
        self.init(high: bits[0], low: bits[1])
    }

    /// 22 characters of base64url without padding, as Kafka's tools show it.
    public var description: String {
        var text = ""
        for index in 0..<22 {
            var value = 0
            for bit in 0..<6 {
                let position = index * 6 + bit
                let word = position < 64 ? high : low
                value = value << 1 | (position < 128 ? Int(word >> UInt64(63 - position % 64) & 1) : 0)
            }
            text.unicodeScalars.append(Unicode.Scalar(Self.alphabet[value]))
        }
        return text
    }
}

extension KafkaUUID {
    /// A version 4 UUID, as the Java client makes them for members.
    static func random() -> KafkaUUID {
        KafkaUUID(
            high: .random(in: 0 ... .max) & ~0xf000 | 0x4000,
            low: .random(in: 0 ... .max) & ~(0b11 << 62) | 0b10 << 62)
    }
}
