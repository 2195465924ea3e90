import Concurrency

extension KafkaConsumer {
    /// Processes records in parallel, keeps the order of each key, and commits only what is processed.
    ///
    /// ```swift
    /// try await consumer.subscribe(to: .topics(["orders"]))
    /// try await consumer.process(maximumConcurrency: 8) { record in
    ///     try await handle(record)
    /// }
    /// ```
    ///
    /// Records of a partition with the same key are handled one after the other, in their order. So are a partition's
    /// records without a key. All others are handled in parallel. A slow key does not hold up the others, until
    /// `maximumUncommitted` records wait for it: then no further record is read.
    ///
    /// Each record is processed at least once. A partition's offset is committed up to its first record whose handler has
    /// not returned yet: every `auto.commit.interval.ms`, before a partition is revoked, and at the end. The consumer needs
    /// a group and `enable.auto.commit=false`, since automatic commits would include records that are not processed yet.
    ///
    /// Before the group revokes a partition, the records of it that have begun and those before them are finished, which
    /// may take `max.poll.interval.ms` at most; later ones are dropped. If the partition is lost already, nothing is waited for or
    /// committed. The partition's next owner reads the uncommitted records.
    ///
    /// If a handler throws, no further record begins. The handlers that are running are waited for, what is processed is
    /// committed, and the error is thrown. If the task is cancelled, the running handlers are cancelled as well; those that
    /// return nevertheless count as processed. Afterwards the positions of the partitions are at the first record that is
    /// not processed, so that another call of `process` continues there.
    ///
    /// Returns when the consumer is closed. A handler must not call `close` or `unsubscribe`, which wait for the handlers.
    ///
    /// - Parameters:
    ///   - maximumConcurrency: The largest number of handlers that run at the same time, at least 1.
    ///   - maximumUncommitted: The largest number of records that are in memory, including those that are processed but
    ///     wait for an earlier one of their partition. At least `maximumConcurrency`.
    ///   - handler: Processes one record.
    /// - Throws: The first error of a handler; errors of the iteration, as `KafkaConsumer.Iterator.next`; errors of a
    ///   commit, unless it can be retried; `CancellationError`. INVALID_GROUP_ID without a group, INVALID_CONFIG with
    ///   `enable.auto.commit`, INVALID_REQUEST if `process` is running already.
    public func process(
        maximumConcurrency: Int = 8, maximumUncommitted: Int = 1000,
        _ handler: @escaping @Sendable (ConsumerRecord) async throws -> Void
    ) async throws {
        try requireManualCommits(for: "process")
        guard let identity = groupPart.withLock({ $0.identity }) else {
            throw KafkaError(
                .invalidGroupId, "the consumer has no group; set group.id, or create the consumer with a group")
        }
        let concurrency = Swift.max(maximumConcurrency, 1)
        let scheduler = RecordScheduler(
            maximumConcurrency: concurrency, maximumRecords: Swift.max(maximumUncommitted, concurrency))
        let commits = ProcessedCommits(consumer: self, scheduler: scheduler)
        guard identity.setRevocationHandler({ await commits.prepareRevocation(of: $0, areLost: $1, within: $2) }) else {
            throw KafkaError(
                .invalidRequest, "the consumer is processing records already: call process once at a time",
                isRetriable: false)
        }
        defer { identity.removeRevocationHandler() }
        let committing = background("commits of processed records") { await commits.commitAtIntervals() }
        await withDiscardingTaskGroup { group in
            do {
                try await distribute(to: scheduler) {
                    group.addTask { await self.work(scheduler, handler) }
                }
                scheduler.stop()
            } catch {
                scheduler.stop(error)
            }
        }
        committing.cancel()
        await committing.value
        do {
            try await commits.commit()
        } catch {
            scheduler.stop(error)
        }
        // Positions are ahead of what is processed.
        try? await seek(scheduler.unprocessed.filter { assignment.contains($0.key) })
        if let failure = scheduler.failure { throw failure }
    }

    /// Reads records until the consumer is closed or the scheduler stops.
    private func distribute(to scheduler: RecordScheduler, startWorker: () -> Void) async throws {
        var reader = buffer.makeReader()
        while !scheduler.isStopped {
            switch try await nextRecord(&reader, timeout: nil) {
            case .record(let record):
                if scheduler.add(record) { startWorker() }
                await scheduler.waitForRoom()
                // A cancelled task does not wait for room.
                try Task.checkCancellation()
            case .timedOut: continue
            case .finished: return
            }
        }
    }

    /// Handles records until none is ready.
    private func work(
        _ scheduler: RecordScheduler, _ handler: @Sendable (ConsumerRecord) async throws -> Void
    ) async {
        while let item = scheduler.next() {
            do {
                try await handler(item.record)
                scheduler.finish(item, isProcessed: true)
            } catch {
                scheduler.finish(item, isProcessed: false)
                scheduler.stop(error)
                // The reader may be waiting for a record.
                wakeUp()
            }
        }
    }
}
