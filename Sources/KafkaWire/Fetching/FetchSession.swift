/// The client's half of a fetch session (KIP-227): the broker remembers what was asked before, so that a request names
/// only what has changed. The cursors hold what was last sent for each partition.
///
/// If the broker keeps no session (id 0), every request is complete.
struct FetchSession: Sendable {
    /// The session's part of the next request.
    struct Request: Equatable, Sendable {
        var sessionID: Int32
        var epoch: Int32
        var partitions: [TopicPartition]
        var forgotten: [TopicPartition: KafkaUUID]
    }

    private static let initialEpoch: Int32 = 0
    /// The epoch of a request without a session, which no broker can reject for its session.
    private static let finalEpoch: Int32 = -1
    /// After this many rejections in a row, requests don't ask for a session any more.
    private static let rejectionLimit = 3

    private let node: Int32
    /// How many sessions were begun.
    private var number = 0
    private var id: Int32 = 0
    private var epoch = Self.initialEpoch
    /// The partition that a complete request begins with: another one each time, so that none starves.
    private var rotation = 0
    private var rejections = 0

    /// - Parameter node: The broker's id.
    init(node: Int32) {
        self.node = node
    }

    /// Distinguishes this client's sessions with all brokers.
    struct Key: Sendable, Hashable {
        let node: Int32
        let number: Int
    }

    /// Makes the next request, and notes in the cursors what it sends.
    mutating func next(_ wanted: [TopicPartition: RequestedFetch], _ cursors: inout CursorTable) -> Request {
        let isComplete = epoch <= Self.initialEpoch
        if isComplete { number += 1 }
        let changes = cursors.announce(wanted, in: Key(node: node, number: number))
        var request = Request(
            sessionID: id, epoch: epoch, partitions: changes.partitions.sorted(), forgotten: changes.forgotten)
        if isComplete, !request.partitions.isEmpty {
            rotation = (rotation + 1) % request.partitions.count
            request.partitions = Array(request.partitions[rotation...] + request.partitions[..<rotation])
        }
        return request
    }

    mutating func succeeded(sessionID: Int32) {
        // The response to an initial request doesn't show that the broker remembers the session.
        if epoch > Self.initialEpoch { rejections = 0 }
        id = sessionID
        if sessionID == 0 {
            begin()
        } else {
            // Epochs go from 1 to the highest number and then start over at 1; 0 would open a session.
            epoch = epoch == .max ? 1 : epoch + 1
        }
    }

    /// Begins another session, since the broker rejected this one.
    ///
    /// - Returns: The number of rejections in a row.
    mutating func rejected() -> Int {
        if rejections < .max { rejections += 1 }
        begin()
        return rejections
    }

    /// Begins another session, since the connection is another one, or a request may not have arrived.
    mutating func reset() {
        rejections = 0
        begin()
    }

    private mutating func begin() {
        id = 0
        epoch = rejections >= Self.rejectionLimit ? Self.finalEpoch : Self.initialEpoch
    }
}
