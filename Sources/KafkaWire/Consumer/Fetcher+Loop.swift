extension Fetcher {
    /// What one request asks of a partition, and for whom.
    struct Asked {
        let fetch: PartitionFetch
        let slot: FetchSlot
    }

    /// Asks a broker again and again, as long as any partition is to be read from it.
    func fetch(from node: Int32) async {
        defer { loops[node] = nil }
        while !isClosed, !Task.isCancelled {
            let wanted = fetches(from: node)
            guard !wanted.isEmpty else { return }
            do {
                let connection = try await cluster.connection(to: node, role: .fetch)
                let answer = try await fetchOnce(wanted, from: node, over: connection)
                await answer.gate?.wait()
                // Only now, since nothing more is to be fetched before what there is was taken; it may be sought elsewhere.
                if let failure = answer.failure, partitions[failure.partition]?.slot == failure.slot {
                    throw failure.error
                }
            } catch is CancellationError {
                return
            } catch {
                sessions[node]?.reset()
                // Bytes that can't be read would be the same the next time.
                if let error = error as? KafkaError, !error.isRetriable || error.code == .corruptMessage {
                    return buffer.fail(error)
                }
                setbacks += 1
                // Whether another broker leads them meanwhile, the housekeeping finds out.
                for key in wanted.keys { leave(node, key) }
                return attention.notify()
            }
        }
    }

    /// Asks another broker than this one for a partition: the leader where it was a replica, or else the one that
    /// leads now.
    func leave(_ node: Int32, _ key: TopicPartition) {
        if partitions[key]?.replica?.node == node {
            partitions[key]?.replica = nil
        } else {
            partitions[key]?.leader = nil
        }
    }

    private func fetches(from node: Int32) -> [TopicPartition: Asked] {
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
                    maximumBytes: partition.maximumBytes),
                slot: partition.slot)
        }
        return wanted
    }

    /// One request and its answer.
    ///
    private func fetchOnce(
        _ wanted: [TopicPartition: Asked], from node: Int32, over connection: NegotiatedConnection
    ) async throws -> Accepted {
        let fetches = wanted.mapValues(\.fetch)
        let asked = sessions[node, default: FetchSession()].next(fetches)
        var version = try connection.version(for: FetchRequest.self)
        // Version 13 knows topics by their ids alone, which a cluster upgraded from before Kafka 2.8 may lack.
        if fetches.values.contains(where: { $0.topicID == .zero }) { version = min(version, 12) }
        let timeout = cluster.configuration.requestTimeout + configuration.fetchMaximumWait
        let response = try await connection.call(
            FetchRequest(asked, fetches, configuration, version: version), version: version, timeout: timeout,
            expectsResponse: true)
        guard let response else { return Accepted() }
        switch ErrorCode(rawValue: response.errorCode) {
        case .none:
            sessions[node]?.succeeded(sessionID: version >= 7 ? response.sessionId : 0)
        case .fetchSessionIdNotFound, .invalidFetchSessionEpoch, .fetchSessionTopicIdError:
            sessions[node]?.reset()
            return Accepted()
        case let code:
            throw KafkaError(code, "\(connection.address) refused a fetch", isFromBroker: true)
        }
        return accept(response, from: node, asked: wanted)
    }
}
