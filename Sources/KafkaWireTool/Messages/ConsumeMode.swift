import CommandLineSupport
import KafkaWire

/// `-C`: prints a topic's messages, from all partitions or from one.
struct ConsumeMode {
    let options: MessageOptions
    let client: KafkaClient
    let topic: String
    let notes: Notes
    /// Whether the user has set `auto.offset.reset`.
    let isResetGiven: Bool

    /// How often to check for the ends of partitions while no batch arrives.
    private static let idle = Duration.milliseconds(100)

    func run(until stop: StopSignal) async throws {
        var printer = try options.printer()
        guard let range = try await stop.unlessRequested({ try await self.range() }) else { return }
        var reading = Reading(range: range, exitsAtEnd: options.exitsAtEnd, limit: options.count ?? .max)
        reading.reportEmpty()
        reading.takeNotes().forEach(notes.say)
        guard !reading.isOver else { return try await commit(reading) }
        // With an offset beyond the end, wait for later records, as kcat does, instead of resetting to the beginning.
        let isBeyondEnd = reading.places.values.contains { $0.begin > $0.end }
        let consumer = client.consumer(offsetReset: isBeyondEnd && !isResetGiven ? .latest : nil)
        await consumer.assign(reading.places.mapValues { ConsumerStart(.offset($0.begin)) })
        let closing = Task {
            await stop.wait()
            await consumer.close()
        }
        defer { closing.cancel() }
        do {
            try await read(consumer, &printer, &reading)
            try await commit(reading)
        } catch {
            // Print the records before the one that can't be read.
            try? await printer.flush()
            await consumer.close()
            throw error
        }
        await consumer.close()
    }

    /// Prints until there is nothing more to read, or the consumer is closed.
    private func read(
        _ consumer: KafkaConsumer, _ printer: inout RecordPrinter, _ reading: inout Reading
    ) async throws {
        var batches = consumer.makeAsyncIterator()
        while !reading.isOver {
            switch try await batches.next(timeout: Self.idle) {
            case .batch(let batch):
                let partition = batch.topicPartition
                guard let place = reading.places[partition], !place.isOver else { continue }
                let printed = try await printer.print(
                    batch, limit: reading.limit - reading.count, endOffset: place.printsBefore,
                    endTimestamp: options.endTimestamp)
                if reading.take(printed, of: partition) { await consumer.pause([partition]) }
            case .timedOut:
                try await printer.flush()
                for (partition, lag) in consumer.lag where lag == 0 {
                    reading.caughtUp(partition, at: consumer.positions[partition])
                }
            case .finished: return try await printer.flush()
            }
            let endNotes = reading.takeNotes()
            if !endNotes.isEmpty {
                // A note about the end of a partition must come after the partition's records.
                try await printer.flush()
                endNotes.forEach(notes.say)
            }
        }
        try await printer.flush()
    }

    /// Commits the offsets after the last printed records if reading began at the group's offsets, so that the next run
    /// continues there.
    ///
    /// Doesn't use the consumer's own commit, because after SIGINT the consumer is already closed.
    private func commit(_ reading: Reading) async throws {
        guard begin == .stored, client.configuration.group.commitsAutomatically else { return }
        let offsets = reading.places.mapValues { max(0, $0.next) }
        try await client.admin.commitOffsets(group: try group(), offsets)
    }

    /// The group's offsets of partitions; those without one are omitted.
    private func storedOffsets(of partitions: [TopicPartition]) async throws -> [TopicPartition: Int64] {
        try await client.admin.listGroupOffsets(try group(), of: partitions).mapValues { try $0.get().offset }
    }

    private func group() throws(Failure) -> String {
        guard let group = client.configuration.group.groupID else {
            throw Failure("-o stored needs a group: -X group.id=GROUP", status: .usage)
        }
        return group
    }

    /// Where to begin in each partition, and its current end.
    private func range() async throws -> [TopicPartition: Reading.Place] {
        let described = try await client.admin.describe(topics: [topic])[0]
        if let partition = options.partition { try described.require(partition) }
        let partitions = (options.partition.map { [$0] } ?? described.partitions.map(\.partition)).map {
            TopicPartition(topic: topic, partition: $0)
        }
        func offsets(_ spec: OffsetSpec) async throws -> [TopicPartition: Int64] {
            try await client.admin.listOffsets(Dictionary(uniqueKeysWithValues: partitions.map { ($0, spec) }))
                .mapValues(\.offset)
        }
        let first = try await offsets(.earliest)
        let ends = try await offsets(.latest)
        let place = begin
        let byTime: [TopicPartition: Int64] =
            if case .timestamp(let time) = place {
                try await offsets(.timestamp(KafkaTimestamp(millisecondsSince1970: time)))
            } else { [:] }
        let stored = place == .stored ? try await storedOffsets(of: partitions) : [:]
        // For partitions without a stored offset.
        let reset = place == .stored ? try await startOffsets(partitions) : [:]
        var places: [TopicPartition: Reading.Place] = [:]
        for partition in partitions {
            let (first, end) = (first[partition] ?? 0, ends[partition] ?? 0)
            let begin =
                switch place {
                case .beginning: first
                case .end: end
                case .offset(let offset): max(first, offset)
                case .last(let count): max(first, max(0, end) - count)
                case .timestamp: byTime[partition] ?? end
                case .stored: max(first, stored[partition] ?? reset[partition] ?? end)
                }
            places[partition] = Reading.Place(begin: begin, end: end)
        }
        return places
    }

    /// Where each partition begins by `auto.offset.reset`.
    private func startOffsets(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Int64] {
        guard let place = client.configuration.consumer.offsetReset.place(now: .now) else { return [:] }
        return try await client.admin.listOffsets(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, place) })
        ).mapValues(\.offset)
    }

    /// Where to begin: `-o`, else `auto.offset.reset`, else the first record. `none` also means the first record.
    private var begin: ReadBegin {
        if let begin = options.begin { return begin }
        return switch client.configuration.consumer.offsetReset.place(now: .now) {
        case .latest: .end
        case .timestamp(let time): .timestamp(time.millisecondsSince1970)
        default: .beginning
        }
    }
}

extension MessageOptions {
    func printer() throws(Failure) -> RecordPrinter {
        RecordPrinter(style: try style(), isUnbuffered: isUnbuffered, skipsMismatches: continuesAfterErrors)
    }

    private func style() throws(Failure) -> RecordPrinter.Style {
        if isJSON { return .json(delimiter: delimiter) }
        let null = emptyIsNull ? "NULL" : ""
        var style = OutputFormat(keySeparator: keySeparator, delimiter: delimiter, null: null)
        if let format { style = try OutputFormat(format, null: null) }
        style.keyPacking = keyPacking
        style.valuePacking = valuePacking
        return .format(style)
    }
}
