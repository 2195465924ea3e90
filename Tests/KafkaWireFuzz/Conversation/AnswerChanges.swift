import Concurrency
import KafkaWire

/// Changes to the responses of a conversation, decoded from a fuzzer's input.
final class AnswerChanges: Sendable {
    /// One change: 4 bytes of the input.
    private struct Change {
        let api: APIKey
        /// The number of responses of the API before the first changed one.
        let skipped: Int
        /// Whether all later responses are changed too.
        let isLasting: Bool
        let field: Int
        let value: UInt8

        init(_ bytes: ArraySlice<UInt8>) {
            let bytes = Array(bytes)
            let api = AnswerChanges.apis[Int(bytes[0]) % AnswerChanges.apis.count]
            // A damaged ApiVersions response ends the conversation, so change it only occasionally.
            self.api = api == .apiVersions && bytes[0] < 200 ? .fetch : api
            skipped = Int(bytes[1] & 3)
            isLasting = bytes[1] & 4 != 0
            field = Int(bytes[2]) | Int(bytes[1] >> 7) << 8
            value = bytes[3]
        }
    }

    /// The APIs whose responses can be changed.
    private static let apis: [APIKey] = [
        .fetch, .metadata, .listOffsets, .offsetForLeaderEpoch, .fetch, .produce, .initProducerID, .findCoordinator,
        .joinGroup, .syncGroup, .heartbeat, .consumerGroupHeartbeat, .offsetFetch, .offsetCommit, .addPartitionsToTxn,
        .endTxn, .txnOffsetCommit, .apiVersions, .describeCluster, .createTopics, .createPartitions, .deleteRecords,
        .listGroups, .describeGroups, .consumerGroupDescribe, .describeConfigs, .offsetDelete,
    ]

    static let bytesOfChange = 4

    private let changes: [Change]
    private let answered = Lock<[APIKey: Int]>([:])

    init(_ bytes: ArraySlice<UInt8>) {
        var changes: [Change] = []
        var rest = bytes
        while rest.count >= Self.bytesOfChange, changes.count < 12 {
            changes.append(Change(rest.prefix(Self.bytesOfChange)))
            rest = rest.dropFirst(Self.bytesOfChange)
        }
        self.changes = changes
    }

    /// Changes one response. If its version can't encode the change, the response stays unchanged.
    func change(_ api: APIKey, _ version: Int16, _ answer: [UInt8]) -> [UInt8] {
        let index = answered.withLock { answered in
            defer { answered[api, default: 0] += 1 }
            return answered[api, default: 0]
        }
        let due = changes.filter { $0.api == api && ($0.skipped == index || $0.isLasting && $0.skipped < index) }
        guard !due.isEmpty else { return answer }
        return rewritten(api.request, version, answer, due) ?? answer
    }

    private func rewritten<Request: KafkaRequest>(
        _: Request.Type, _ version: Int16, _ answer: [UInt8], _ due: [Change]
    ) -> [UInt8]? {
        guard let response = try? Request.decodeResponse(ByteSlice(answer[4...]), version: version),
            var hostile = response as? any HostileResponse
        else { return nil }
        var counter = NumberOverwriter()
        hostile.visit(&counter)
        for change in due where counter.count > 0 {
            var overwriter = NumberOverwriter(target: change.field % counter.count, value: change.value)
            hostile.visit(&overwriter)
        }
        var writer = WireWriter(isFlexible: Request.isFlexible(version))
        writer.int32(0)
        for byte in answer[4..<8] { writer.int8(Int8(bitPattern: byte)) }  // correlation id
        if Request.hasFlexibleResponseHeader(version) { writer.unsignedVarint(0) }
        hostile.encode(to: &writer, version: version)
        guard let length = Int32(exactly: writer.count - 4) else { return nil }
        writer.overwriteInt32(length, at: 0)
        return try? writer.finish()
    }
}
