/// Which records of a partition are processed, for `RecordScheduler`.
struct PartitionProgress: Sendable {
    /// Identifies a record.
    struct Ticket: Sendable {
        fileprivate let partitionID: Int
        fileprivate let number: Int
    }

    private struct Entry {
        let offset: Int64
        let next: OffsetAndMetadata
        var isProcessed = false
    }

    /// Distinguishes successive assignments of the partition.
    private let id: Int
    /// The records from the first unprocessed one on.
    private var entries = FIFO<Entry>()
    /// The number of the first entry.
    private var first = 0
    /// The number of records that workers have.
    private(set) var running = 0
    /// The largest offset of a record that a worker has had; nil if there is none.
    private(set) var lastBegun: Int64?
    /// The offset after the last record before which all are processed; nil if there is none.
    private var processed: OffsetAndMetadata?
    /// The offset that was committed last.
    var committed: OffsetAndMetadata?

    init(id: Int) {
        self.id = id
    }

    /// The number of records that count as in memory.
    var count: Int { entries.count }

    /// The offset to commit; nil if it is committed.
    var uncommitted: OffsetAndMetadata? { processed == committed ? nil : processed }

    var firstUnprocessed: ConsumerStart? {
        entries.first.map { ConsumerStart(.offset($0.offset), leaderEpoch: $0.next.leaderEpoch) }
    }

    mutating func add(_ record: ConsumerRecord) -> Ticket {
        entries.append(Entry(offset: record.offset, next: record.nextOffsetAndMetadata))
        return Ticket(partitionID: id, number: first + entries.count - 1)
    }

    mutating func begin(_ ticket: Ticket, offset: Int64) {
        guard ticket.partitionID == id else { return }
        running += 1
        lastBegun = max(lastBegun ?? offset, offset)
    }

    /// - Returns: The number of records that do not count as in memory any more.
    mutating func finish(_ ticket: Ticket, isProcessed: Bool) -> Int {
        guard ticket.partitionID == id else { return 0 }
        running -= 1
        guard isProcessed else { return 0 }
        entries.update(ticket.number - first) { $0.isProcessed = true }
        let before = first
        while let entry = entries.first, entry.isProcessed {
            processed = entry.next
            _ = entries.popFirst()
            first += 1
        }
        return first - before
    }
}

/// A queue with constant-time access to its ends and elements.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Changes the element at an index counted from the first one, if there is one.
    mutating func update(_ index: Int, _ change: (inout Element) -> Void) {
        guard index >= 0, index < count, var element = elements[head + index] else { return }
        change(&element)
        elements[head + index] = element
    }
}

extension FIFO: Sendable where Element: Sendable {}
