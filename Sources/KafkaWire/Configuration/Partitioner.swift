/// Chooses the partition of each record that names none.
///
/// Without a partitioner, records are distributed as by the Java client: by the key's murmur2 hash; without a key, to one
/// partition until `batch.size` bytes were sent to it, then to another (KIP-480, KIP-794).
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
    /// Returns the partition for a record, from 0 to `partitionCount - 1`; nil to leave it to the default.
    ///
    /// Called on the sending task, at least once for each record and by several tasks at once: it must be fast.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - key: The record's key, nil for null; valid until the call returns.
    ///   - value: The record's value, nil for null; valid until the call returns.
    ///   - partitionCount: The number of the topic's partitions that the producer knows of; at least 1.
    func partition(topic: String, key: RawSpan?, value: RawSpan?, partitionCount: Int32) -> Int32?
}
