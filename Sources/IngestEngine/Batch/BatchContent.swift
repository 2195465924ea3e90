import KafkaWire
import PGWire

/// A batch's rows and the encoders that make them.
///
/// One value, so that a whole record batch is added under a single exclusivity check: checks for each record and each
/// buffer of a class took a tenth of the program's time.
struct BatchContent: ~Copyable {
    private var router: RecordRouter
    /// One per route.
    var encoders: OwnedList<RowEncoder>
    /// Extra state, per route, for routes that aren't a plain append.
    var specials: OwnedList<SpecialRoute>
    var targets: OwnedList<TargetRows>
    private let unrouted: Mapping.Unrouted
    /// The consumer group that dead letters name; nil if unknown.
    private let group: String?
    /// The number of records per record batch, by the batch's index; empty if origins aren't recorded.
    private(set) var recordsOfBatch: [Int: Int] = [:]
    private(set) var deadLetters = CopyBuffer()
    /// The mark at the start of the dead letters.
    private let noDeadLetters: CopyBuffer.Mark
    private(set) var recordCount = 0
    private(set) var messageBytes = 0
    /// The rejections of completed segments.
    private var settledRejections = RejectionSummary()
    /// The rejections since the last completed segment.
    private var newRejections = RejectionSummary()
    private(set) var runs: [DeadLetterCounter.Run] = []
    private var segments: BatchSegments
    private(set) var arrivals: [Arrival] = []
    // Filled only when a batch is rebuilt to find the rows that the database refuses.
    private(set) var deadLetterOrigins: [RecordOrigin] = []

    /// - Throws: `RowPlanError` if the plan was not bound.
    init(_ plan: IngestPlan, capacity: Int) throws(RowPlanError) {
        let encoders = try OwnedList(count: plan.routes.count) { (index) throws(RowPlanError) in
            try RowEncoder(plan.routes[index].plan)
        }
        let specials = try OwnedList(count: plan.routes.count) { (index) throws(RowPlanError) in
            try SpecialRoute(plan.routes[index])
        }
        self.encoders = encoders
        self.specials = specials
        router = RecordRouter(plan)
        // Usually the first target receives nearly all rows.
        targets = OwnedList(count: plan.targets.count) { index in
            TargetRows(plan.targets[index], capacity: index == 0 ? capacity : 0)
        }
        unrouted = plan.unrouted
        group = plan.group
        noDeadLetters = deadLetters.mark()
        segments = BatchSegments(targetCount: plan.targets.count)
    }

    var rejections: RejectionSummary {
        var rejections = settledRejections
        rejections.add(newRejections)
        return rejections
    }

    var byteCount: Int {
        var sum = deadLetters.byteCount
        for index in 0..<targets.count { sum &+= targets[index].byteCount }
        return sum
    }

    mutating func removeAll() {
        for index in 0..<targets.count { targets[index].removeAll() }
        deadLetters.removeAll()
        recordCount = 0
        messageBytes = 0
        settledRejections.removeAll()
        newRejections.removeAll()
        segments.removeAll()
        if !arrivals.isEmpty { arrivals.removeAll(keepingCapacity: true) }
        if !runs.isEmpty { runs.removeAll(keepingCapacity: true) }
        if !deadLetterOrigins.isEmpty { deadLetterOrigins.removeAll() }
        if !recordsOfBatch.isEmpty { recordsOfBatch.removeAll() }
    }

    /// Stages the rows of every target whose records must be dropped as a whole if one of their rows is refused.
    ///
    /// - Precondition: There are no rows.
    mutating func prepareIsolation() {
        for index in 0..<targets.count { targets[index].prepareIsolation() }
    }

    /// Adds a record batch, or nothing of it if it can't be read to its end.
    mutating func append(_ batch: borrowing RecordBatch, in range: Range<Int64>) throws(KafkaError) {
        for index in 0..<targets.count { targets[index].setMark() }
        let mark = deadLetters.mark()
        let before = (records: recordCount, deadLetters: deadLetters.rowCount, messageBytes: messageBytes)
        do throws(KafkaError) {
            try appendRecords(batch, in: range, originIndex: -1)
        } catch {
            for index in 0..<targets.count { targets[index].rollback() }
            deadLetters.rollback(to: mark)
            recordCount = before.records
            messageBytes = before.messageBytes
            newRejections.removeAll()
            throw error
        }
        endRun(since: (before.records, before.deadLetters))
        endSegment(batch.place, since: before)
        arrivals.add(
            Arrival(
                partition: batch.place, timestamp: batch.maxTimestamp.millisecondsSince1970,
                records: recordCount - before.records))
    }

    /// Records what was just added as a segment of its partition.
    private mutating func endSegment(
        _ partition: TopicPartition, since before: (records: Int, deadLetters: Int, messageBytes: Int)
    ) {
        let rejected = deadLetters.rowCount - before.deadLetters
        var segment = BatchSegments.Segment(
            partition: partition, records: recordCount - before.records,
            messageBytes: messageBytes - before.messageBytes, rejected: rejected)
        if rejected > 0 {
            segment.rejections = newRejections
            settledRejections.add(newRejections)
            newRejections.removeAll()
        }
        let isNew = segments.add(segment, deadLetters: deadLetters.mark())
        for index in 0..<targets.count {
            segments.setEnd(
                of: index, BatchSegments.End(rows: targets[index].rows.mark(), server: targets[index].server.count),
                isNew: isNew)
        }
    }

    /// Removes the rows and dead letters of some partitions.
    ///
    /// Staged rows keep their sequence numbers, since only their order counts. The count of deletions stays too: it
    /// only decides whether to send a DELETE.
    mutating func remove(_ partitions: Set<TopicPartition>) {
        for index in 0..<targets.count {
            var behind = BatchSegments.End(rows: targets[index].beginning, server: 0)
            var serverParts: [Range<Int>] = []
            segments.forEachEnd(of: index, startingAt: behind) { partition, start, end in
                guard !partitions.contains(partition) else { return behind }
                behind.rows = targets[index].rows.moveRows(from: start.rows, to: end.rows, behind: behind.rows)
                behind.server += end.server - start.server
                serverParts.append(start.server..<end.server)
                return behind
            }
            targets[index].rows.rollback(to: behind.rows)
            if !targets[index].server.isEmpty { targets[index].server.keep(serverParts) }
        }
        var behind = noDeadLetters
        segments.forEachLetterEnd(startingAt: behind) { partition, start, end in
            if !partitions.contains(partition) {
                behind = deadLetters.moveRows(from: start, to: end, behind: behind)
            }
            return behind
        }
        deadLetters.rollback(to: behind)
        segments.remove(partitions)
        arrivals.removeAll { partitions.contains($0.partition) }
        recordCount = 0
        messageBytes = 0
        settledRejections.removeAll()
        runs.removeAll(keepingCapacity: true)
        for segment in segments.all {
            recordCount += segment.records
            messageBytes += segment.messageBytes
            if let rejections = segment.rejections { settledRejections.add(rejections) }
            add(DeadLetterCounter.Run(records: segment.records, rejected: segment.rejected))
        }
    }

    /// Adds a record batch and records the origin of each row and dead letter.
    ///
    /// - Parameter index: The record batch's index in the caller's list.
    mutating func append(
        _ batch: borrowing RecordBatch, in range: Range<Int64>, originIndex index: Int
    ) throws(KafkaError) {
        let before = (recordCount, deadLetters.rowCount)
        try appendRecords(batch, in: range, originIndex: index)
        recordsOfBatch[index, default: 0] += recordCount - before.0
        endRun(since: before)
    }

    /// - Parameter index: The record batch's index in the caller's list; -1 if origins aren't recorded.
    @inline(__always)
    private mutating func appendRecords(
        _ batch: borrowing RecordBatch, in range: Range<Int64>, originIndex index: Int
    ) throws(KafkaError) {
        if router.select(topic: batch.topic) {
            for route in router.active {
                encoders[route].setTopic(batch.topic)
                specials[route].setTopic(batch.topic)
            }
        }
        let partition = batch.partition
        var records = batch.makeIterator()
        while let record = try records.next() {
            guard range.contains(record.offset) else { continue }
            let (key, value) = (record.key, record.value)
            recordCount &+= 1
            messageBytes &+= (key?.byteCount ?? 0) &+ (value?.byteCount ?? 0)
            let route = router.route(of: record, key: key)
            guard route >= 0 else {
                handleUnrouted(record, of: batch, originIndex: index)
                continue
            }
            if router.takesHeaders(route) { setHeaders(of: record, route) }
            guard router.isPlain(route) else {
                appendSpecial(record, of: batch, route, target: router.target(of: route), originIndex: index)
                continue
            }
            let target = router.target(of: route)
            let metadata = RecordMetadata(
                partition: partition, offset: record.offset,
                timestamp: record.timestamp.isKnown ? record.timestamp.millisecondsSince1970 : nil)
            if encoders[route].encodeExpected(value: value, metadata: metadata, into: &targets[target].rows) {
                if index >= 0 { targets[target].origins.append(RecordOrigin(batch: index, offset: record.offset)) }
                continue
            }
            let encoded = encoders[route].encodeUnexpected(
                value: value, key: key, metadata: metadata, into: &targets[target].rows)
            switch encoded {
            case .row:
                if index >= 0 { targets[target].origins.append(RecordOrigin(batch: index, offset: record.offset)) }
            case .server(let row):
                targets[target].server.append(row)
                if index >= 0 {
                    targets[target].serverOrigins.append(RecordOrigin(batch: index, offset: record.offset))
                }
            case .rejected(let reason): addDeadLetter(record, of: batch, reason: reason, originIndex: index)
            }
        }
    }

    /// Handles a record that matches no route.
    @inline(never)
    private mutating func handleUnrouted(
        _ record: borrowing Record, of batch: borrowing RecordBatch, originIndex index: Int
    ) {
        guard unrouted == .deadLetter else { return }
        let reason: String =
            if let key = record.key { "no route takes the record with the key \(RowEncoder.quote(key))" } else {
                "no route takes the record without a key"
            }
        addDeadLetter(record, of: batch, reason: reason, originIndex: index)
    }

    /// Gives the encoder the last header of each name that its columns read.
    @inline(never)
    private mutating func setHeaders(of record: borrowing Record, _ route: Int) {
        let names = encoders[route].headerNames
        for index in names.indices { encoders[route].setHeader(index, nil) }
        var iterator = record.headers.makeIterator()
        while let header = iterator.next() {
            let name = header.name
            guard let index = names.firstIndex(where: { name.spells($0) }) else { continue }
            encoders[route].setHeader(index, header.value)
        }
    }

    mutating func appendDeadLetters(
        _ batch: borrowing RecordBatch, _ reasons: [Int64: String]
    ) throws(KafkaError) {
        var records = batch.makeIterator()
        while let record = try records.next() {
            guard let reason = reasons[record.offset] else { continue }
            addDeadLetter(record, of: batch, reason: reason, originIndex: -1)
        }
    }

    /// Adds the records of one record batch to the runs. Consecutive runs without rejections are merged.
    private mutating func endRun(since before: (records: Int, deadLetters: Int)) {
        add(
            DeadLetterCounter.Run(
                records: recordCount - before.records, rejected: deadLetters.rowCount - before.deadLetters))
    }

    private mutating func add(_ run: DeadLetterCounter.Run) {
        if run.rejected == 0, let last = runs.last, last.rejected == 0 {
            runs[runs.count - 1].records += run.records
        } else {
            runs.append(run)
        }
    }

    @inline(never)
    mutating func addDeadLetter(
        _ record: borrowing Record, of batch: borrowing RecordBatch, reason: String, originIndex index: Int
    ) {
        let letter = DeadLetter(
            record, topic: batch.topic, partition: batch.partition, reason: reason, group: group)
        letter.append(to: &deadLetters, key: record.key, value: record.value)
        newRejections.add(reason, topic: batch.topic, partition: batch.partition, offset: record.offset)
        if index >= 0 { deadLetterOrigins.append(RecordOrigin(batch: index, offset: record.offset)) }
    }
}
