import CommandLineSupport
import Foundation
import KafkaWire

/// `-C`: prints a topic's messages, of all partitions or one.
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
        reading.takeNews().forEach(notes.say)
        guard !reading.isOver else { return }
        // An offset beyond the end waits for later records, as in kcat: reading everything from the beginning instead
        // would be a surprise.
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
        } catch {
            // What was read before a record that can't be read is printed all the same.
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
                let partition = TopicPartition(topic: batch.topic, partition: batch.partition)
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
            let news = reading.takeNews()
            if !news.isEmpty {
                // What is told of an end comes after what lies before it.
                try await printer.flush()
                news.forEach(notes.say)
            }
        }
        try await printer.flush()
    }

    /// Where each partition is read from, and where it ends at the moment.
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
                }
            places[partition] = Reading.Place(begin: begin, end: end)
        }
        return places
    }

    /// Where to begin: `-o`, else `auto.offset.reset`, else the first record. `none` has no place and means the first
    /// record as well.
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
        RecordPrinter(style: try style(), isUnbuffered: isUnbuffered)
    }

    private func style() throws(Failure) -> RecordPrinter.Style {
        if isJSON { return .json }
        let null = emptyIsNull ? "NULL" : ""
        if let format { return .format(try OutputFormat(format, null: null)) }
        return .format(OutputFormat(keySeparator: keySeparator, delimiter: delimiter, null: null))
    }
}
