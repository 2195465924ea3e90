// Responses that never arrive complete, or can't be used: too large, cut off, or impossible to decode. A smaller request
// may succeed, and if only one partition is at fault, the others must not suffer.
extension Fetcher {
    /// Handles a failed fetch.
    ///
    /// - Returns: Whether the loop of this broker continues at once.
    func recover(from error: any Error, of node: Int32, _ wanted: [TopicPartition: Asked]) async -> Bool {
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
        // Bytes that can't be decoded would be the same the next time.
        if !error.isRetriable || error.code == .corruptMessage {
            guard error.code == .corruptMessage, wanted.count > 1 else {
                for key in wanted.keys { fail(key, error) }
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
        _ error: KafkaError, _ length: Int, _ allowed: Int, _ node: Int32, _ wanted: [TopicPartition: Asked]
    ) async -> Bool {
        if wanted.count == 1, let (key, asked) = wanted.first, Int(asked.fetch.maximumBytes) < allowed {
            // A broker exceeds the limit of a partition only for a single batch.
            fail(
                key,
                KafkaError(
                    .messageTooLarge,
                    """
                    a record batch is too large: the broker announced a response of \(length) bytes for it, and \
                    receive.message.max.bytes is \(allowed). Raise receive.message.max.bytes above \(length)
                    """, isRetriable: false, topic: key.topic, partition: key.partition,
                    offset: asked.fetch.position.offset))
            return true
        }
        budgets[node, default: newBudget].exceeded(allowed: allowed)
        return await isolate(wanted, of: node, error)
    }

    /// How many responses in a row without a whole batch make a partition fail.
    private static let longestShortfall = 4

    /// Handles records that hold no whole batch. Only a broker before KIP-74, which never sends more than it was asked
    /// for, does so rightly: then the partition is fetched with a higher limit.
    ///
    /// The checksum doesn't cover a batch's length, so a damaged length could make a batch look too long for ever.
    ///
    /// - Parameter length: The batch's length by its header; nil if that is cut off.
    /// - Throws: MESSAGE_TOO_LARGE for a batch that is longer than the client receives. CORRUPT_MESSAGE if a higher limit
    ///   brings no whole batch either.
    func fellShort(
        _ key: TopicPartition, _ fetch: PartitionFetch, _ node: Int32, byteCount: Int, batch length: Int?
    ) throws(KafkaError) {
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
        let maximum = partitions[key]?.maximumBytes ?? fetch.maximumBytes
        if fetch.maximumBytes < maximum {
            // Only the limit of a slow connection was too low.
            budgets[node] = nil
        } else {
            let shortfalls = (partitions[key]?.shortfalls ?? 0) + 1
            guard shortfalls < Self.longestShortfall else {
                throw error(
                    .corruptMessage,
                    """
                    a record batch never arrives complete: its header announces \(length.map(String.init) ?? "?") bytes, \
                    and the broker sent \(byteCount) of up to \(fetch.maximumBytes)
                    """, isRetriable: false)
            }
            partitions[key]?.shortfalls = shortfalls
            let doubled = maximum > .max / 2 ? Int32.max : maximum * 2
            partitions[key]?.maximumBytes = max(doubled, Int32(clamping: length ?? 1024))
        }
        retryLater(
            key, node,
            error(.corruptMessage, "the broker sent \(byteCount) bytes without a whole record batch", isRetriable: true)
        )
    }

    /// Has partitions fetched one by one from now on, to find the one at fault.
    private func isolate(_ wanted: [TopicPartition: Asked], of node: Int32, _ error: KafkaError) async -> Bool {
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
    func isolated(_ wanted: [TopicPartition: Asked], of node: Int32) -> [TopicPartition: Asked] {
        guard let current = suspects[node]?.filter({ wanted[$0] != nil }) else { return wanted }
        suspects[node] = current.isEmpty ? nil : current
        guard let next = current.min(), let asked = wanted[next] else { return wanted }
        return [next: asked]
    }

    /// A response has arrived complete, and can be decoded.
    func cleared(_ wanted: [TopicPartition: Asked], of node: Int32) {
        if wanted.count > 1, !isolations.isEmpty { isolations[node] = nil }
        guard suspects[node] != nil else { return }
        suspects[node]?.subtract(wanted.keys)
        if suspects[node]?.isEmpty == true { suspects[node] = nil }
    }
}
