// Responses that never arrive complete or can't be used: too large, cut off, or impossible to decode. A smaller request may
// succeed. If only one partition causes them, the others are still read.
extension Fetcher {
    /// Handles a failed fetch.
    ///
    /// - Returns: Whether the loop of this broker continues at once.
    func recover(from error: any Error, of node: Int32, _ wanted: [TopicPartition: RequestedFetch]) async -> Bool {
        guard let error = error as? KafkaError else {
            lost(node, wanted, KafkaError(.unknownServerError, "\(error)"))
            return false
        }
        if error.concernsClient {
            buffer.fail(error)
            return false
        }
        let allowed = cluster.configuration.maximumReceiveMessageBytes
        if let length = error.responseLength, length > allowed {
            return await tooLarge(error, length, allowed, node, wanted)
        }
        // A retry would bring the same bytes, which can't be decoded.
        if !error.isRetriable || error.code == .corruptMessage {
            guard error.code == .corruptMessage, wanted.count > 1 else {
                for requested in wanted.values { buffer.queueFailure(requested.slot, error) }
                return true
            }
            return await isolate(wanted, of: node, error)
        }
        if let length = error.responseLength { budgets[node, default: newBudget].cutOff(length: length) }
        lost(node, wanted, error)
        return false
    }

    /// Handles a response that is longer than the client receives.
    private func tooLarge(
        _ error: KafkaError, _ length: Int, _ allowed: Int, _ node: Int32, _ wanted: [TopicPartition: RequestedFetch]
    ) async -> Bool {
        if wanted.count == 1, let (key, requested) = wanted.first, Int(requested.fetch.maximumBytes) < allowed {
            // A broker exceeds the limit of a partition only for a single batch.
            buffer.queueFailure(
                requested.slot,
                KafkaError(
                    .messageTooLarge,
                    """
                    a record batch is too large: the broker announced a response of \(length) bytes for it, and \
                    receive.message.max.bytes is \(allowed). Raise receive.message.max.bytes above \(length)
                    """, isRetriable: false, topic: key.topic, partition: key.partition,
                    offset: requested.fetch.position.offset))
            return true
        }
        budgets[node, default: newBudget].exceeded(allowed: allowed)
        return await isolate(wanted, of: node, error)
    }

    /// A partition fails after this many responses in a row without a whole batch.
    private static let longestShortfall = 4

    /// Handles records that contain no whole batch. A broker before KIP-74 sends them if a batch exceeds the limit of the
    /// fetch, so the partition is fetched with a higher limit.
    ///
    /// The checksum doesn't cover a batch's length, so a damaged length could make a batch look too long forever.
    ///
    /// - Parameter length: The batch's length by its header; nil if that is cut off.
    /// - Throws: MESSAGE_TOO_LARGE for a batch that is longer than the client receives. CORRUPT_MESSAGE if a higher limit
    ///   brings no whole batch either.
    func handleShortfall(
        _ key: TopicPartition, _ requested: RequestedFetch, _ node: Int32, byteCount: Int, batch length: Int?
    ) throws(KafkaError) {
        let fetch = requested.fetch
        func error(_ code: ErrorCode, _ message: String, isRetriable: Bool) -> KafkaError {
            KafkaError(
                code, message, isRetriable: isRetriable, topic: key.topic, partition: key.partition,
                offset: fetch.position.offset)
        }
        let allowed = cluster.configuration.maximumReceiveMessageBytes
        if let length, length > allowed {
            throw error(
                .messageTooLarge,
                """
                a record batch is damaged or too large: its header announces \(length) bytes, and \
                receive.message.max.bytes is \(allowed). Raise receive.message.max.bytes above \(length), or seek past \
                the batch
                """, isRetriable: false)
        }
        let cursor = buffer.cursor(requested.slot)
        if fetch.maximumBytes < cursor?.maximumBytes ?? fetch.maximumBytes {
            // Only the limit of a slow connection was too low.
            budgets[node] = nil
        } else {
            let shortfalls = (cursor?.shortfalls ?? 0) + 1
            guard shortfalls < Self.longestShortfall else {
                throw error(
                    .corruptMessage,
                    """
                    a record batch never arrives complete: its header announces \(length.map(String.init) ?? "?") bytes, \
                    and the broker sent \(byteCount) of up to \(fetch.maximumBytes)
                    """, isRetriable: false)
            }
            buffer.update(requested.slot) { $0.raiseLimit(batch: length) }
        }
        retryLater(
            key, node,
            error(.corruptMessage, "the broker sent \(byteCount) bytes without a whole record batch", isRetriable: true)
        )
    }

    /// Has partitions fetched one by one from now on, to find the one that causes the unusable responses.
    private func isolate(_ wanted: [TopicPartition: RequestedFetch], of node: Int32, _ error: KafkaError) async -> Bool
    {
        suspects[node] = Set(wanted.keys)
        isolations[node, default: 0] += 1
        // The pause grows while no fetch of several partitions succeeds in between.
        let delay = cluster.configuration.backoff.delay(
            afterFailures: isolations[node] ?? 1, random: cluster.timing.random())
        retries(.broker(node), error, after: delay)
        do { try await cluster.timing.sleep(delay) } catch { return false }
        return true
    }

    private var newBudget: FetchBudget { FetchBudget(configuration.maximumFetchBytes) }

    /// The settings of a request to this broker.
    func settings(for node: Int32) -> ConsumerConfiguration {
        var settings = configuration
        if let budget = budgets[node] { settings.maximumFetchBytes = budget.limit }
        // The other partitions wait while the suspects are fetched one by one.
        if suspects[node] != nil { settings.maximumFetchWait = .zero }
        return settings
    }

    /// One suspect, if there are any, or else all partitions.
    func isolated(_ wanted: [TopicPartition: RequestedFetch], of node: Int32) -> [TopicPartition: RequestedFetch] {
        guard let current = suspects[node]?.filter({ wanted[$0] != nil }) else { return wanted }
        suspects[node] = current.isEmpty ? nil : current
        guard let next = current.min(), let requested = wanted[next] else { return wanted }
        return [next: requested]
    }

    /// A response has arrived complete, and can be decoded.
    func cleared(_ wanted: [TopicPartition: RequestedFetch], of node: Int32) {
        if wanted.count > 1, !isolations.isEmpty { isolations[node] = nil }
        guard suspects[node] != nil else { return }
        suspects[node]?.subtract(wanted.keys)
        if suspects[node]?.isEmpty == true { suspects[node] = nil }
    }
}
