import KafkaWire
import Testing

/// Valid and invalid requests of a transactional producer.
struct TransactionExchange {
    private let client: CoordinatorClient
    private let groupCoordinator: CoordinatorClient
    private let id: String
    private let topic: String
    private let isVersion2: Bool
    private var producerID: Int64 = -1
    private var epoch: Int16 = -1
    private var lines: [String] = []

    private mutating func note(_ what: String, _ code: Int16, _ more: String = "") {
        lines.append("\(what): \(ErrorCode(rawValue: code))\(more)")
    }

    private mutating func initialize(_ what: String, _ known: (Int64, Int16)? = nil) async throws {
        let request = InitProducerIdRequest(
            transactionalId: id, transactionTimeoutMs: 60_000, producerId: known?.0 ?? -1,
            producerEpoch: known?.1 ?? -1)
        let response = try await client.call(request) { $0.errorCode }
        note("init \(what)", response.errorCode, response.errorCode == 0 ? " epoch \(response.producerEpoch)" : "")
        if response.errorCode == 0 { (producerID, epoch) = (response.producerId, response.producerEpoch) }
    }

    private mutating func add(_ what: String, _ partition: Int32, topic: String? = nil) async throws {
        let topics = [AddPartitionsToTxnRequest.Topic(name: topic ?? self.topic, partitions: [partition])]
        let request = AddPartitionsToTxnRequest(
            v3AndBelowTransactionalId: id, v3AndBelowProducerId: producerID, v3AndBelowProducerEpoch: epoch,
            v3AndBelowTopics: topics)
        let response = try await client.call(request, upTo: 3) {
            $0.resultsByTopicV3AndBelow.first?.resultsByPartition.first?.partitionErrorCode
        }
        let result = try #require(response.resultsByTopicV3AndBelow.first?.resultsByPartition.first)
        note("add \(what)", result.partitionErrorCode)
    }

    private mutating func write(_ what: String, _ partition: Int32, _ sequence: Int32, transactional: Bool = true)
        async throws
    {
        var builder = RecordBatchBuilder(pool: BufferPool(limit: 0))
        try builder.append(key: nil, value: [1], timestamp: 1000)
        var batch = try builder.finish()
        let bytes = batch.stamp(
            producerID: producerID, producerEpoch: epoch, baseSequence: sequence, isTransactional: transactional)
        let request = ProduceRequest(
            transactionalId: transactional ? id : nil, acks: -1, timeoutMs: 5000,
            topicData: [.init(name: topic, partitionData: [.init(index: partition, records: bytes)])])
        let response = try await client.call(request, upTo: isVersion2 ? 12 : 11) {
            $0.responses.first?.partitionResponses.first?.errorCode
        }
        let result = try #require(response.responses.first?.partitionResponses.first)
        note("write \(what)", result.errorCode, " at \(result.baseOffset)")
    }

    private mutating func end(_ what: String, commit: Bool) async throws {
        let request = EndTxnRequest(
            transactionalId: id, producerId: producerID, producerEpoch: epoch, committed: commit)
        let response = try await client.call(request, upTo: isVersion2 ? 5 : 4) { $0.errorCode }
        note("end \(what)", response.errorCode, isVersion2 ? " epoch \(response.producerEpoch)" : "")
        if response.errorCode == 0, isVersion2 { (producerID, epoch) = (response.producerId, response.producerEpoch) }
    }

    private mutating func addOffsets(_ what: String, _ group: String) async throws {
        let request = AddOffsetsToTxnRequest(
            transactionalId: id, producerId: producerID, producerEpoch: epoch, groupId: group)
        note("add offsets \(what)", try await client.call(request) { $0.errorCode }.errorCode)
    }

    private mutating func commitOffset(
        _ what: String, _ group: String, _ offset: Int64, generation: Int32 = -1, member: String = ""
    ) async throws {
        let request = TxnOffsetCommitRequest(
            transactionalId: id, groupId: group, producerId: producerID, producerEpoch: epoch,
            generationId: generation, memberId: member,
            topics: [.init(name: topic, partitions: [.init(partitionIndex: 0, committedOffset: offset)])])
        let response = try await groupCoordinator.call(request, upTo: isVersion2 ? 5 : 4) {
            $0.topics.first?.partitions.first?.errorCode
        }
        note("offset \(what)", try #require(response.topics.first?.partitions.first).errorCode)
    }

    private mutating func fetchOffset(_ what: String, _ group: String, stable: Bool) async throws {
        let request = OffsetFetchRequest(
            groups: [.init(groupId: group, topics: [.init(name: topic, partitionIndexes: [0])])], requireStable: stable)
        let response = try await groupCoordinator.call(request, upTo: 9)
        let result = try #require(response.groups.first?.topics.first?.partitions.first)
        note("fetch offset \(what)", result.errorCode, " \(result.committedOffset)")
    }

    /// Reads committed records from the beginning, after waiting for open transactions to end or immediately.
    private mutating func read(_ what: String, _ partition: Int32, waits: Bool = true) async throws {
        let request = FetchRequest(
            maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, isolationLevel: 1,
            topics: [
                .init(
                    topic: topic, partitions: [.init(partition: partition, fetchOffset: 0, partitionMaxBytes: 1 << 20)])
            ])
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let response = try await client.call(request, upTo: 12)
            let data = try #require(response.responses.first?.partitions.first)
            let isStable = data.lastStableOffset == data.highWatermark
            guard isStable || !waits || .now > deadline else {
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            let aborted = data.abortedTransactions.map { "\($0.map(\.firstOffset))" } ?? "none"
            note(
                "read \(what)", data.errorCode,
                " to \(data.lastStableOffset) of \(data.highWatermark), aborted \(aborted)"
            )
            return
        }
    }

    static func run(_ bootstrap: String, _ topic: String, isVersion2: Bool) async throws -> [String] {
        let id = "tx-\(topic)"
        let group = "g-\(topic)-\(isVersion2)"
        let client = try await CoordinatorClient(bootstrap, coordinator: .transaction(id))
        let groupCoordinator = try await CoordinatorClient(bootstrap, coordinator: .group(group))
        var exchange = TransactionExchange(
            client: client, groupCoordinator: groupCoordinator, id: id, topic: topic, isVersion2: isVersion2)
        try await exchange.initialize("first")
        if !isVersion2 {
            try await exchange.write("without adding", 0, 0)
            try await exchange.add("unknown topic", 0, topic: "nothing-\(topic)")
            try await exchange.add("partition", 0)
            try await exchange.add("again", 0)
        }
        try await exchange.write("first", 0, 0)
        try await exchange.write("first again", 0, 0)
        try await exchange.write("gap", 0, 5)
        try await exchange.write("second", 0, 1)
        try await exchange.write("outside", 0, 2, transactional: false)
        try await exchange.read("open", 0, waits: false)
        try await exchange.end("abort", commit: false)
        try await exchange.read("aborted", 0)
        let before = (exchange.producerID, exchange.epoch)
        try await exchange.end("abort again", commit: false)
        try await exchange.end("commit nothing", commit: true)

        // Group offsets.
        if !isVersion2 {
            try await exchange.commitOffset("without adding", group, 1)
            try await exchange.addOffsets("group", group)
        }
        try await exchange.commitOffset("for a group", group, 7)
        try await exchange.fetchOffset("unstable", group, stable: true)
        try await exchange.fetchOffset("any", group, stable: false)
        try await exchange.commitOffset("of no member", group, 8, generation: 3, member: "nobody")
        try await exchange.end("commit", commit: true)
        for _ in 0..<200 {
            try await exchange.fetchOffset("committed", group, stable: true)
            if exchange.lines.last?.hasSuffix(" 7") == true { break }
            exchange.lines.removeLast()
            try await Task.sleep(for: .milliseconds(20))
        }

        // A second producer takes over.
        let first = (exchange.producerID, exchange.epoch)
        if !isVersion2 { try await exchange.add("before fencing", 1) }
        try await exchange.write("before fencing", 1, 0)
        try await exchange.initialize("second")
        let second = (exchange.producerID, exchange.epoch)
        (exchange.producerID, exchange.epoch) = first
        try await exchange.write("fenced", 1, 1)
        if !isVersion2 { try await exchange.add("fenced", 1) }
        try await exchange.end("fenced", commit: true)
        (exchange.producerID, exchange.epoch) = (first.0 + 1_000_000, 0)
        try await exchange.add("other id", 1)
        try await exchange.end("other id", commit: true)
        (exchange.producerID, exchange.epoch) = second
        try await exchange.initialize("continues", second)
        try await exchange.initialize("sent again", second)
        try await exchange.initialize("too old", before)
        try await exchange.read("fenced", 1)
        return exchange.lines
    }
}
