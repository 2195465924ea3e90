import KafkaWire
import PGWire

/// The origins of a batch's rows and dead letters, so that a lost partition's share can be removed.
///
/// A segment covers consecutive record batches of one partition, not a single record.
struct BatchSegments {
    struct Segment {
        let partition: TopicPartition
        var records: Int
        var messageBytes: Int
        var rejected: Int
        /// nil if no record was rejected.
        var rejections: RejectionSummary?
    }

    /// The end of a segment among the rows of one target.
    struct End {
        var rows: CopyBuffer.Mark
        /// The number of rows that the server parses itself.
        var server: Int
    }

    private(set) var all: [Segment] = []
    /// The segments' ends, per target.
    private var ends: [[End]]
    /// Each segment's end among the dead letters.
    private var letterEnds: [CopyBuffer.Mark] = []

    init(targetCount: Int) {
        ends = Array(repeating: [], count: targetCount)
    }

    mutating func removeAll() {
        guard !all.isEmpty else { return }
        all.removeAll(keepingCapacity: true)
        letterEnds.removeAll(keepingCapacity: true)
        for index in ends.indices { ends[index].removeAll(keepingCapacity: true) }
    }

    /// Adds a segment or extends the last one. Call ``setEnd(of:_:isNew:)`` for each target afterwards.
    ///
    /// - Returns: true if it is a new segment.
    mutating func add(_ segment: Segment, deadLetters: CopyBuffer.Mark) -> Bool {
        let last = all.count - 1
        if last >= 0, segment.rejected == 0, all[last].rejected == 0, all[last].partition == segment.partition {
            all[last].records += segment.records
            all[last].messageBytes += segment.messageBytes
            letterEnds[last] = deadLetters
            return false
        }
        all.append(segment)
        letterEnds.append(deadLetters)
        return true
    }

    mutating func setEnd(of target: Int, _ end: End, isNew: Bool) {
        if isNew { ends[target].append(end) } else { ends[target][all.count - 1] = end }
    }

    /// Visits the segments of a target and moves their ends.
    ///
    /// - Parameter move: Receives a segment's partition, start and end, and returns its new end.
    mutating func forEachEnd(
        of target: Int, startingAt beginning: End, _ move: (TopicPartition, End, End) -> End
    ) {
        var start = beginning
        for (index, segment) in all.enumerated() {
            let end = ends[target][index]
            ends[target][index] = move(segment.partition, start, end)
            start = end
        }
    }

    /// Visits the segments' dead letters and moves their ends, as ``forEachEnd(of:startingAt:_:)`` does for rows.
    mutating func forEachLetterEnd(
        startingAt beginning: CopyBuffer.Mark,
        _ move: (TopicPartition, CopyBuffer.Mark, CopyBuffer.Mark) -> CopyBuffer.Mark
    ) {
        var start = beginning
        for (index, segment) in all.enumerated() {
            let end = letterEnds[index]
            letterEnds[index] = move(segment.partition, start, end)
            start = end
        }
    }

    /// Removes the segments of some partitions, once their rows were removed.
    mutating func remove(_ partitions: Set<TopicPartition>) {
        let kept = all.indices.filter { !partitions.contains(all[$0].partition) }
        for target in ends.indices { ends[target] = kept.map { ends[target][$0] } }
        letterEnds = kept.map { letterEnds[$0] }
        all = kept.map { all[$0] }
    }
}
