import Concurrency

extension Fetcher {
    /// What one request asks of a partition, and for which slot.
    struct Asked {
        let fetch: PartitionFetch
        let slot: FetchSlot
    }

    /// Fetches from a broker again and again, as long as there are partitions to be read from it.
    func fetch(from node: Int32) async {
        defer { loops[node] = nil }
        while !isClosed, !Task.isCancelled {
            let wanted = fetches(from: node)
            guard !wanted.isEmpty else { return }
            let connection: NegotiatedConnection
            do {
                connection = try await cluster.connection(to: node, role: .fetch)
            } catch is CancellationError {
                return
            } catch {
                let error = error as? KafkaError ?? KafkaError(.networkException, "\(error)")
                guard error.isRetriable else { return buffer.fail(error) }
                return lost(node, wanted, error)
            }
            do {
                let gate = try await fetchOnce(wanted, from: node, over: connection)
                // The next fetch is sent when the application takes this response.
                await gate?.wait()
            } catch is CancellationError {
                return
            } catch {
                sessions[node]?.reset()
                guard await recover(from: error, of: node, wanted) else { return }
            }
        }
    }

    /// Has the leaders of a broker's partitions looked up again: another broker may lead them by now.
    func lost(_ node: Int32, _ wanted: [TopicPartition: Asked], _ error: KafkaError) {
        setbacks += 1
        for key in wanted.keys { leave(node, key) }
        retries(.broker(node), error)
        attention.notify()
    }

    /// Stops fetching a partition from this broker. If it was a replica, the leader is next, or else the leader is looked
    /// up again.
    func leave(_ node: Int32, _ key: TopicPartition) {
        if partitions[key]?.replica?.node == node {
            partitions[key]?.replica = nil
        } else {
            partitions[key]?.leader = nil
        }
    }

    private func fetches(from node: Int32) -> [TopicPartition: Asked] {
        let limit = budgets[node].map { Int32(clamping: $0.limit) } ?? .max
        var wanted: [TopicPartition: Asked] = [:]
        for (key, partition) in partitions where partition.source == node && !partition.isPaused {
            // From time to time the leader is asked which replica is the best now.
            if let replica = partition.replica, replica.until <= cluster.timing.now() {
                partitions[key]?.replica = nil
                attention.notify()
                continue
            }
            guard let position = partition.position, !partition.isDoubtful else { continue }
            wanted[key] = Asked(
                fetch: PartitionFetch(
                    topicID: partition.topicID, position: position, leaderEpoch: partition.leaderEpoch,
                    maximumBytes: min(partition.maximumBytes, limit)),
                slot: partition.slot)
        }
        return isolated(wanted, of: node)
    }

    /// One request and its response.
    ///
    /// - Returns: A signal for the moment when the application takes the response; nil if there is nothing to take.
    private func fetchOnce(
        _ wanted: [TopicPartition: Asked], from node: Int32, over connection: NegotiatedConnection
    ) async throws -> Signal? {
        let fetches = wanted.mapValues(\.fetch)
        let asked = sessions[node, default: FetchSession()].next(fetches)
        var version = try connection.version(for: FetchRequest.self)
        // Version 13 knows topics by their ids alone, which a cluster upgraded from before Kafka 2.8 may lack.
        if fetches.values.contains(where: { $0.topicID == .zero }) { version = min(version, 12) }
        let settings = settings(for: node)
        let timeout = cluster.configuration.requestTimeout + settings.maximumFetchWait
        let watch = watchSilence(of: node, at: connection.address, expectedWithin: settings.maximumFetchWait)
        defer { watch.cancel() }
        let response = try await connection.call(
            asked.fetchRequest(fetches, settings, version: version), version: version, timeout: timeout,
            expectsResponse: true)
        guard let response else { return nil }
        buffer.responded(at: cluster.timing.now())
        let code = ErrorCode(rawValue: response.errorCode)
        switch code {
        case .none:
            sessions[node]?.succeeded(sessionID: version >= 7 ? response.sessionId : 0)
        case .fetchSessionIdNotFound, .invalidFetchSessionEpoch, .fetchSessionTopicIdError:
            try await sessionRejected(by: node, code, connection)
            return nil
        default:
            // An error of the whole response says nothing about a single partition, so none of them fails.
            throw KafkaError(
                code, "\(connection.address) refused a fetch", isFromBroker: true,
                isRetriable: code == .unsupportedVersion ? nil : true)
        }
        succeeded(.broker(node))
        cleared(wanted, of: node)
        return accept(response, from: node, asked: wanted)
    }

    /// Begins another session: the first time at once, and then after pauses that grow.
    private func sessionRejected(
        by node: Int32, _ code: ErrorCode, _ connection: NegotiatedConnection
    ) async throws {
        let rejections = sessions[node]?.rejected() ?? 1
        guard rejections > 1 else { return }
        let delay = cluster.configuration.backoff.delay(
            afterFailures: rejections - 1, random: cluster.timing.random())
        retries(
            .broker(node), KafkaError(code, "\(connection.address) rejected a fetch session", isFromBroker: true),
            after: delay)
        try await cluster.timing.sleep(delay)
    }
}
