extension ConnectionStateMachine {
    /// Explains four bytes that can't be a length.
    ///
    /// - Returns: The reason for an error message, and whether the bytes certainly belong to another protocol, so that
    ///   another attempt would receive them again.
    func explain(_ length: Int32) -> (reason: String, isOther: Bool, failure: ConnectionFailure?) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
        let text =
            bytes.allSatisfy { 0x20...0x7e ~= $0 }
            ? "; its bytes are the text \"\(String(decoding: bytes, as: UTF8.self))\"" : ""
        return switch UInt32(bitPattern: length) {
        case 0x4854_5450:  // "HTTP"
            ("\(broker) speaks HTTP, not Kafka: check the port", true, .foreignProtocol)
        case let word where word >> 8 == 0x15_0303 || word >> 8 == 0x15_0301 || word >> 8 == 0x15_0302:
            (
                "\(broker) answered with a TLS alert: its listener expects TLS (security.protocol=SSL or SASL_SSL)",
                true, .foreignProtocol
            )
        case _ where length > maximumFrame:
            (
                "\(broker) announced a response of \(length) bytes, more than receive.message.max.bytes (\(maximumFrame))"
                    + (text.isEmpty ? "" : "\(text), so it may not speak Kafka: check the port"),
                false, text.isEmpty ? nil : .foreignProtocol
            )
        default:
            (
                "\(broker) announced a response of \(length) bytes, which is not a valid length; it may not speak Kafka",
                false, .foreignProtocol
            )
        }
    }
}
