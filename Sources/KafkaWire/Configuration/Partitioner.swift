/// Chooses the partition of each record that doesn't name one.
///
/// Without one, a record goes where the Java client's default partitioner sends it: by the key's murmur2, and without
/// a key to one partition until `batch.size` bytes have gone there, and then to another (KIP-480, KIP-794).
///
/// ```swift
/// struct ByRegion: Partitioner {
///     func partition(topic: String, key: RawSpan?, value: RawSpan?, partitionCount: Int32) -> Int32? {
///         guard let key, key.byteCount >= 2 else { return nil }
///         return Int32(key.unsafeLoad(fromByteOffset: 0, as: UInt8.self)) % partitionCount
///     }
/// }
/// ```
public protocol Partitioner: Sendable {
    /// The partition for a record: 0 up to `partitionCount`. Nil leaves it to the default partitioner.
    ///
    /// Called on the task that sends, once or more for each record, and by several tasks at once: it has to be fast.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - key: The record's key, nil for null; valid until the call returns.
    ///   - value: The record's value, nil for null; valid until the call returns.
    ///   - partitionCount: How many partitions the topic has, as far as the producer knows; above zero.
    func partition(topic: String, key: RawSpan?, value: RawSpan?, partitionCount: Int32) -> Int32?
}
