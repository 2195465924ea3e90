/// Closes the batches of a request (compression, checksum) and hands it to the connection.
///
/// It may run beside the sender's loop, so that one broker's batches don't wait for another's. At most one runs for each
/// broker, which keeps its requests in order and bounds the memory for compressed batches.
struct ProduceDispatch: Sendable {
    let accumulator: Accumulator
    let responses: ProduceResponses
    /// nil outside of transactions.
    let transactionalID: String?
    let requestTimeout: Duration

    struct Request: Sendable {
        let node: Int32
        let connection: NegotiatedConnection
        let version: Int16
        let topicIDs: [String: KafkaUUID]
    }

    /// What the sender must do after a request was dispatched.
    struct Report: Sendable {
        /// The batches that can't be closed.
        var failures: [(batch: ProducerBatch, error: KafkaError)] = []
        /// Whether the request has a result to wait for.
        var hasResult = false
    }

    private var configuration: ProducerConfiguration { accumulator.configuration }

    /// Whether closing these batches takes so little time that the sender's loop can do it: some ten microseconds.
    func isQuick(_ batches: [OutgoingBatch]) -> Bool {
        let limit = configuration.compression == .none ? 64 << 10 : 2 << 10
        var size = 0
        for outgoing in batches { size += outgoing.batch.byteCount }
        return size <= limit
    }

    func send(_ batches: consuming [OutgoingBatch], _ request: Request) -> Report {
        var report = Report()
        var records: [TopicPartition: ByteSlice] = [:]
        var topicNames: [KafkaUUID: String] = [:]
        for index in batches.indices {
            let partition = batches[index].batch.partition
            do throws(KafkaError) {
                records[partition] = try close(&batches[index])
                topicNames[request.topicIDs[partition.topic] ?? .zero] = partition.topic
            } catch {
                // The request's other batches don't need this one.
                report.failures.append((batches[index].batch, error))
            }
        }
        guard !records.isEmpty else { return report }
        report.hasResult = true
        accumulator.keep(batches)
        let outcomes = batches.filter { records[$0.batch.partition] != nil }.map(\.batch.outcome)
        let produce = ProduceRequest(
            records, topicIDs: request.topicIDs, transactionalID: transactionalID, acks: configuration.acks,
            timeout: requestTimeout)
        let lacksID = produce.topicData.contains { $0.topicId == .zero }
        let completion: @Sendable (Result<ProduceResponse?, any Error>) -> Void = {
            [responses, accumulator, topicNames, node = request.node] response in
            responses.append(
                ProduceResult(node: node, batches: outcomes, topicNames: topicNames, response: response))
            accumulator.signal.notify()
        }
        do {
            try request.connection.post(
                produce, version: lacksID ? min(request.version, 12) : request.version,
                timeout: requestTimeout + .seconds(5), expectsResponse: configuration.acks != .none,
                completion: completion)
        } catch {
            completion(.failure(error))
        }
        return report
    }

    /// Closes a batch the first time, and writes producer id and number into it each time.
    ///
    /// - Returns: The bytes to send.
    private func close(_ outgoing: inout OutgoingBatch) throws(KafkaError) -> ByteSlice? {
        if let builder = outgoing.batch.builder {
            outgoing.batch.builder = nil
            outgoing.batch.encoded = try builder.finish(
                compression: configuration.compression, level: configuration.compressionLevel)
        }
        let (identity, sequence) = (outgoing.identity, outgoing.batch.sequence)
        return outgoing.batch.encoded?.stamp(
            producerID: identity?.id ?? -1, producerEpoch: identity?.epoch ?? -1,
            baseSequence: sequence?.value ?? -1, isTransactional: transactionalID != nil)
    }
}

extension ProduceRequest {
    /// A request for one batch of each partition.
    ///
    /// - Parameter timeout: How long the leader may wait for the replicas.
    fileprivate init(
        _ batches: [TopicPartition: ByteSlice], topicIDs: [String: KafkaUUID], transactionalID: String?,
        acks: ProducerConfiguration.Acks, timeout: Duration
    ) {
        self.init(
            transactionalId: transactionalID, acks: acks.rawValue,
            timeoutMs: timeout.asMilliseconds,
            topicData: Dictionary(grouping: batches.keys.sorted(), by: \.topic).map { topic, keys in
                TopicData(
                    name: topic, topicId: topicIDs[topic] ?? .zero,
                    partitionData: keys.map { PartitionData(index: $0.partition, records: batches[$0]) })
            })
    }
}
