import CommandLineSupport
import KafkaWire
import PGWire

/// Compares the tables with the acknowledged records.
struct Verdict: Sendable {
    /// The number of offsets that are read at a time to find differences.
    private static let window: Int64 = 50_000

    let site: Site
    /// The offsets of each partition's records, in the order of the sequence.
    let offsets: [TopicPartition: [Int64]]
    let journal: Journal

    /// The next offset of each partition, as committed by the consumers.
    static func committed(_ site: Site) async throws -> [TopicPartition: Int64] {
        let rows = try await site.query(
            "SELECT topic, partition, next_offset FROM \(Site.schema).kafka_offset WHERE group_name = 'tfi-consumer'")
        return Dictionary(
            try rows.map {
                (TopicPartition(topic: try $0.decode(0), partition: try $0.decode(1)), try $0.decode(2) as Int64)
            }
        ) { $1 }
    }

    /// Reports all differences.
    func compare() async throws {
        var sums = try await self.sums()
        for (partition, offsets) in offsets.sorted(by: { $0.key < $1.key }) {
            let expected = PartitionSums(of: offsets)
            let found = sums.removeValue(forKey: partition) ?? PartitionSums()
            let isEqual = found == expected
            journal.say(
                "\(partition.topic) partition \(partition.partition): \(Numbers.grouped(offsets.count)) acknowledged, "
                    + "\(Numbers.grouped(found.rows)) rows of \(Numbers.grouped(expected.rows)), "
                    + "\(Numbers.grouped(found.letters)) dead letters of \(Numbers.grouped(expected.letters)), "
                    + (isEqual ? "checksums equal" : "DIFFERENT"))
            guard !isEqual else { continue }
            for line in try await differences(of: partition, offsets) { journal.find(line) }
        }
        for (partition, found) in sums {
            journal.find("\(found.rows) rows of \(partition), although nothing was sent to it")
        }
    }

    private func sums() async throws -> [TopicPartition: PartitionSums] {
        var sums: [TopicPartition: PartitionSums] = [:]
        let rows = try await site.query(
            """
            SELECT topic, partition, count(*), count(DISTINCT "offset"), sum(\(PartitionSums.expression))
            FROM \(Site.schema).reading GROUP BY 1, 2
            """)
        for row in rows {
            let partition = TopicPartition(topic: try row.decode(0), partition: try row.decode(1))
            sums[partition, default: PartitionSums()].rows = try row.decode(2)
            sums[partition]?.distinctRows = try row.decode(3)
            sums[partition]?.checksum = row[4].flatMap { UInt128($0) } ?? 0
        }
        let letters = try await site.query(
            """
            SELECT topic, partition, count(*), count(DISTINCT "offset"), sum("offset")
            FROM \(Site.schema).dead_letter GROUP BY 1, 2
            """)
        for row in letters {
            let partition = TopicPartition(topic: try row.decode(0), partition: try row.decode(1))
            sums[partition, default: PartitionSums()].letters = try row.decode(2)
            sums[partition]?.distinctLetters = try row.decode(3)
            sums[partition]?.letterChecksum = row[4].flatMap { UInt128($0) } ?? 0
        }
        return sums
    }

    /// Reads a partition's rows and dead letters, to report which ones differ.
    private func differences(of partition: TopicPartition, _ offsets: [Int64]) async throws -> [String] {
        var (rows, letters) = (Differences(), Differences())
        let place = "topic = '\(partition.topic)' AND partition = \(partition.partition)"
        let end = (offsets.last ?? 0) + 1
        var begin: Int64 = 0
        var number = 0
        while begin < end || begin == 0 {
            // The last window includes everything after the last acknowledged record.
            let next = begin + Self.window < end ? begin + Self.window : Int64.max
            var expectedRows: [FoundRow] = []
            var expectedLetters: [FoundRow] = []
            while number < offsets.count, offsets[number] < next {
                let row = FoundRow(of: Int64(number), at: offsets[number])
                switch Reading.fate(of: Int64(number)) {
                case .row, .rowOfTheDatabase: expectedRows.append(row)
                case .notJSON, .refused: expectedLetters.append(.letter(at: row.offset))
                }
                number += 1
            }
            let range = "\"offset\" >= \(begin) AND \"offset\" < \(next) ORDER BY \"offset\""
            let foundRows = try await site.query(
                "SELECT \"offset\", seq, value, took IS NOT NULL FROM \(Site.schema).reading WHERE \(place) AND \(range)"
            )
            let foundLetters = try await site.query(
                "SELECT \"offset\" FROM \(Site.schema).dead_letter WHERE \(place) AND \(range)")
            rows.compare(
                expectedRows,
                with: try foundRows.map {
                    FoundRow(
                        offset: try $0.decode(0), number: try $0.decode(1), value: try $0.decode(2),
                        hasInterval: try $0.decode(3))
                })
            letters.compare(expectedLetters, with: try foundLetters.map { .letter(at: try $0.decode(0)) })
            guard next < .max else { break }
            begin = next
        }
        let lines = rows.lines("rows", of: partition) + letters.lines("dead letters", of: partition)
        return lines.isEmpty ? ["the checksums of \(partition) differ"] : lines
    }
}

extension FoundRow {
    /// A dead letter, for which only the offset is compared.
    fileprivate static func letter(at offset: Int64) -> FoundRow {
        FoundRow(offset: offset, number: 0, value: 0, hasInterval: false)
    }
}
