/// The client's half of a fetch session: a broker remembers what was asked before, so that a request names only what
/// has changed (KIP-227).
///
/// A session that a broker can't keep (id 0) leaves every request complete.
struct FetchSession: Sendable {
    /// What goes into the next request.
    struct Request: Equatable, Sendable {
        var sessionID: Int32
        var epoch: Int32
        var partitions: [TopicPartition]
        var forgotten: [TopicPartition: KafkaUUID]
    }

    private static let initialEpoch: Int32 = 0
    /// A request outside of any session, which no broker can reject for its session.
    private static let finalEpoch: Int32 = -1
    /// After so many rejections in a row, requests don't ask for a session any more.
    private static let rejectionsToGiveUp = 3

    private var id: Int32 = 0
    private var epoch = Self.initialEpoch
    private var remembered: [TopicPartition: PartitionFetch] = [:]
    /// With which partition a complete request begins: another one each time, so that none starves.
    private var rotation = 0
    private var rejections = 0

    mutating func next(_ wanted: [TopicPartition: PartitionFetch]) -> Request {
        var request = Request(sessionID: id, epoch: epoch, partitions: [], forgotten: [:])
        if epoch <= Self.initialEpoch {
            let ordered = wanted.keys.sorted()
            if !ordered.isEmpty {
                rotation = (rotation + 1) % ordered.count
                request.partitions = Array(ordered[rotation...] + ordered[..<rotation])
            }
        } else {
            request.partitions = wanted.filter { remembered[$0.key] != $0.value }.keys.sorted()
            // A topic that was made again is another topic: the one with the old id is forgotten.
            request.forgotten = remembered.filter { wanted[$0.key]?.topicID != $0.value.topicID }.mapValues(\.topicID)
        }
        remembered = wanted
        return request
    }

    mutating func succeeded(sessionID: Int32) {
        // A broker that opens sessions and then doesn't know them has not accepted one yet.
        if epoch > Self.initialEpoch { rejections = 0 }
        id = sessionID
        if sessionID == 0 {
            begin()
        } else {
            // Epochs go from 1 to the highest number and then start over at 1; 0 would open a session.
            epoch = epoch == .max ? 1 : epoch + 1
        }
    }

    /// The broker has rejected the session: begin another one.
    ///
    /// - Returns: The number of rejections in a row.
    mutating func rejected() -> Int {
        if rejections < .max { rejections += 1 }
        begin()
        return rejections
    }

    /// It is unknown whether a request arrived, or the connection is another one: begin another session.
    mutating func reset() {
        rejections = 0
        begin()
    }

    private mutating func begin() {
        id = 0
        epoch = rejections >= Self.rejectionsToGiveUp ? Self.finalEpoch : Self.initialEpoch
        remembered = [:]
    }
}
