import KafkaWire
import Testing

@testable import Chaos

@Suite("Comparison of tables")
struct ComparisonTests {
    private let rows = (0..<100).map { FoundRow(of: $0, at: $0 * 2) }

    private func differences(_ found: [FoundRow]) -> Differences {
        var differences = Differences()
        differences.compare(rows, with: found)
        return differences
    }

    @Test func equalRowsHaveNoDifferences() {
        #expect(differences(rows).isEmpty)
    }

    @Test func findsMissingRows() {
        var found = rows
        found.remove(at: 99)
        found.remove(at: 50)
        found.remove(at: 0)
        let differences = differences(found)
        #expect(differences.missing == .init(count: 3, examples: [0, 100, 198]))
        #expect(differences.doubled.count == 0 && differences.unexpected.count == 0)
        #expect(self.differences([]).missing.count == 100)
    }

    @Test func findsDoubledRows() {
        var found = rows
        found.insert(rows[99], at: 99)
        found.insert(contentsOf: [rows[3], rows[3]], at: 3)
        let differences = differences(found)
        #expect(differences.doubled == .init(count: 3, examples: [6, 6, 198]))
        #expect(differences.missing.count == 0 && differences.unexpected.count == 0)
    }

    @Test func findsRowsWithOtherContents() {
        var found = rows
        found[7].value += 1
        found[8].hasInterval.toggle()
        found.append(FoundRow(of: 200, at: 400))
        let differences = differences(found)
        #expect(differences.unexpected.examples == [14, 16, 400])
        #expect(differences.missing.examples == [14, 16])
    }

    @Test func reportsDifferencesByPartitionAndOffset() {
        let lines = differences(Array(rows.dropLast(10))).lines("rows", of: TopicPartition(topic: "t", partition: 3))
        #expect(lines == ["rows of t partition 3: 10 missing, at the offsets 180, 182, 184, 186, 188, …"])
    }

    @Test func sumsDistinguishMissingAndDoubledRows() {
        let offsets = (0..<3_000).map { Int64($0) }
        let sums = PartitionSums(of: offsets)
        #expect(sums.rows + sums.letters == 3_000 && sums.rows == sums.distinctRows && sums.letters > 2)
        var doubled = PartitionSums(of: offsets)
        doubled.rows += 1
        #expect(doubled != sums)
        // One row is missing, and another one is doubled.
        var exchanged = PartitionSums()
        for number in offsets where Reading.fate(of: number) == .row { exchanged.add(FoundRow(of: number, at: number)) }
        var other = exchanged
        other.add(FoundRow(of: 0, at: 0))
        exchanged.add(FoundRow(of: 1, at: 1))
        #expect(other.checksum != exchanged.checksum)
    }
}
