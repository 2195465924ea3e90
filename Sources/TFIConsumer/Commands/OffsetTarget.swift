import CommandLineSupport
import Foundation
import KafkaWire

/// A position to which offsets can be set.
enum OffsetTarget: Sendable, Equatable {
    case earliest
    case latest
    /// The first message at or after this time, in milliseconds since 1970.
    case time(Int64)
    case offset(Int64)
}

extension ValueFormat<OffsetTarget> {
    static let offsetTarget = ValueFormat(
        placeholder: "earliest|latest|TIME|OFFSET",
        expectation: "earliest, latest, an offset, or a time with its zone such as 2026-03-12T06:00:00Z",
        parse: { text in
            switch text {
            case "earliest": return .earliest
            case "latest": return .latest
            default:
                if let offset = Int64(text) { return offset >= 0 ? .offset(offset) : nil }
                guard let time = try? Date(text, strategy: .iso8601) else { return nil }
                let milliseconds = time.timeIntervalSince1970 * 1_000
                return milliseconds >= 0 && milliseconds < 1e15 ? .time(Int64(milliseconds)) : nil
            }
        },
        format: { target in
            switch target {
            case .earliest: "earliest"
            case .latest: "latest"
            case .time(let milliseconds): "\(milliseconds)"
            case .offset(let offset): "\(offset)"
            }
        })
}
