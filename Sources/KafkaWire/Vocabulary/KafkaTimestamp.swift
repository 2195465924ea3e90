#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A point in time as Kafka stores it with a record, in milliseconds since 1970-01-01 00:00:00 UTC.
///
/// It has the size of an `Int64`, so passing it around costs nothing.
public struct KafkaTimestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01 00:00:00 UTC; -1 if unknown.
    public let millisecondsSince1970: Int64

    /// Creates a timestamp.
    ///
    /// - Parameter millisecondsSince1970: Milliseconds since 1970-01-01 00:00:00 UTC; -1 for an unknown timestamp.
    @inlinable
    @inline(__always)
    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// The timestamp of a record that has none; -1 milliseconds in the protocol.
    public static let unknown = KafkaTimestamp(millisecondsSince1970: -1)

    /// Whether this is a time. Kafka stores no time before 1970, so every negative number counts as unknown.
    @inlinable public var isKnown: Bool { millisecondsSince1970 >= 0 }

    /// The current time of this machine's clock.
    public static var now: KafkaTimestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return KafkaTimestamp(millisecondsSince1970: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Orders timestamps by time; an unknown one comes before all times.
    @inlinable
    public static func < (left: KafkaTimestamp, right: KafkaTimestamp) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }

    /// The number of milliseconds since 1970, in digits.
    public var description: String { "\(millisecondsSince1970)" }
}
