import KafkaWire

/// The brokers' side of fetch sessions (KIP-227): what each client requested, and what it was last sent.
struct FetchSessions {
    /// A partition as a client names it: by the topic's name, or by its id from version 13 on.
    struct Key: Hashable {
        let name: String
        let id: KafkaUUID
        let partition: Int32
    }

    /// One partition of a session, with what its client was last sent.
    struct Entry {
        let key: Key
        var fetch: FetchRequest.Partition
        var highWatermark: Int64 = -1
        var logStartOffset: Int64 = -1
    }

    private struct Session {
        let node: Int32
        var epoch: Int32
        let usesIDs: Bool
        /// In the order in which they are read: partitions that returned records move to the end.
        var entries: [Entry]
    }

    /// The partitions that a request asks for.
    struct Asked {
        /// 0 if there is no session.
        var sessionID: Int32
        /// Whether the answer contains only changed partitions.
        var isIncremental: Bool
        var entries: [Entry]
    }

    /// The number of sessions that a broker keeps (`max.incremental.fetch.session.cache.slots`). Further clients get
    /// none.
    var limit = 1000
    private var sessions: [Int32: Session] = [:]
    private var lastID: Int32 = 0

    /// Applies a request to its session.
    mutating func begin(_ request: FetchRequest, node: Int32, usesIDs: Bool) -> Result<Asked, Refusal> {
        guard request.sessionEpoch > 0 else {
            if request.sessionId != 0 { sessions[request.sessionId] = nil }
            let entries = Self.entries(of: request)
            let opens = request.sessionEpoch == 0 && sessions.count < limit && !entries.isEmpty
            guard opens else { return .success(Asked(sessionID: 0, isIncremental: false, entries: entries)) }
            lastID = lastID == .max ? 1 : lastID + 1
            sessions[lastID] = Session(node: node, epoch: 1, usesIDs: usesIDs, entries: entries)
            return .success(Asked(sessionID: lastID, isIncremental: false, entries: entries))
        }
        guard var session = sessions[request.sessionId], session.node == node else {
            return .failure(Refusal(code: .fetchSessionIdNotFound))
        }
        guard session.epoch == request.sessionEpoch else {
            return .failure(Refusal(code: .invalidFetchSessionEpoch))
        }
        guard session.usesIDs == usesIDs else { return .failure(Refusal(code: .fetchSessionTopicIdError)) }
        session.epoch = session.epoch == .max ? 1 : session.epoch + 1
        for topic in request.forgottenTopicsData {
            let gone = Set(topic.partitions.map { Key(name: topic.topic, id: topic.topicId, partition: $0) })
            session.entries.removeAll { gone.contains($0.key) }
        }
        for entry in Self.entries(of: request) {
            if let index = session.entries.firstIndex(where: { $0.key == entry.key }) {
                session.entries[index].fetch = entry.fetch
            } else {
                session.entries.append(entry)
            }
        }
        sessions[request.sessionId] = session
        return .success(Asked(sessionID: request.sessionId, isIncremental: true, entries: session.entries))
    }

    /// Records what an answer says about the session's partitions.
    ///
    /// - Parameter answered: The partitions in the answer, with their offsets and whether they have records.
    mutating func end(_ id: Int32, answered: [Key: (highWatermark: Int64, logStartOffset: Int64, hasRecords: Bool)]) {
        guard var session = sessions[id] else { return }
        for index in session.entries.indices {
            guard let news = answered[session.entries[index].key] else { continue }
            session.entries[index].highWatermark = news.highWatermark
            session.entries[index].logStartOffset = news.logStartOffset
        }
        let served = session.entries.filter { answered[$0.key]?.hasRecords == true }
        session.entries = session.entries.filter { answered[$0.key]?.hasRecords != true } + served
        sessions[id] = session
    }

    /// Drops all sessions of a broker, as a restart does.
    mutating func forgetAll(of node: Int32) {
        sessions = sessions.filter { $0.value.node != node }
    }

    struct Refusal: Error {
        let code: ErrorCode
    }

    private static func entries(of request: FetchRequest) -> [Entry] {
        request.topics.flatMap { topic in
            topic.partitions.map { partition in
                Entry(
                    key: Key(name: topic.topic, id: topic.topicId, partition: partition.partition), fetch: partition)
            }
        }
    }
}
