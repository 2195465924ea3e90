import Concurrency

extension Fetcher {
    /// Fetches from a broker until there is nothing to fetch from it.
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

    /// Has the leaders of a broker's partitions looked up again, since another broker may lead them by now.
    func lost(_ node: Int32, _ wanted: [TopicPartition: RequestedFetch], _ error: KafkaError) {
        setbacks += 1
        buffer.leave(node, wanted.keys)
        retries(.broker(node), error)
        attention.notify()
    }

    private func fetches(from node: Int32) -> [TopicPartition: RequestedFetch] {
        let limit = budgets[node].map { Int32(clamping: $0.limit) } ?? .max
        let (wanted, hasExpired) = buffer.fetches(from: node, limit: limit, at: cluster.timing.now())
        if hasExpired { attention.notify() }
        return isolated(wanted, of: node)
    }

    /// One request and its response.
    ///
    /// - Returns: A signal for the moment when the application takes the response; nil if there is nothing to take.
    private func fetchOnce(
        _ wanted: [TopicPartition: RequestedFetch], from node: Int32, over connection: NegotiatedConnection
    ) async throws -> Signal? {
        let request = buffer.nextRequest(wanted, &sessions[node, default: FetchSession(node: node)])
        var version = try connection.version(for: FetchRequest.self)
        // Version 13 names topics by their ids alone, which a cluster upgraded from before Kafka 2.8 may lack.
        if wanted.values.contains(where: { $0.fetch.topicID == .zero }) { version = min(version, 12) }
        let settings = settings(for: node)
        let timeout = cluster.configuration.requestTimeout + settings.maximumFetchWait
        let watch = watchSilence(of: node, at: connection.address, expectedWithin: settings.maximumFetchWait)
        defer { watch.cancel() }
        let response = try await connection.call(
            request.fetchRequest(wanted, settings, version: version), version: version, timeout: timeout,
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
        return accept(response, from: node, requested: wanted)
    }

    /// Begins another session after a rejection: the first time at once, then with growing back-off.
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
