import CommandLineSupport
import Foundation
import Testing

@testable import TFIProducer

/// A folder for the files of one test.
final class TestFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "plant-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func file(_ name: String, _ content: String) throws -> String {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(content.utf8).write(to: file)
        return file.path
    }
}

private let header = "qls_unit_id,unit_collection_pt_timestamp,collection_point_id,zone_id"
private let concernHeader = "qls_unit_id,unit_collection_pt_timestamp,collection_point_id,concern_id,zone_charged_id"

@Suite struct PlantFileTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func passages(_ content: String) throws -> PlantFile {
        try PlantFile(path: try folder.file("units.csv", content), kind: .passage)
    }

    @Test func rowsBecomeMessages() throws {
        let file = try passages("\(header)\n7,2024-03-12 08:00:06.1,34,23\n-8,2024-03-12 08:00:07.3,74,47\n")
        #expect(
            file.messages == [
                PlantMessage(
                    kind: .passage, unit: 7, timestamp: try timestamp("2024-03-12 08:00:06.1"), collectionPoint: 34,
                    zone: 23),
                PlantMessage(
                    kind: .passage, unit: -8, timestamp: try timestamp("2024-03-12 08:00:07.3"), collectionPoint: 74,
                    zone: 47),
            ])
    }

    @Test func toleratesCarriageReturnsQuotesMarksAndEmptyLines() throws {
        let plain = try passages("\(header)\n7,2024-03-12 08:00:06.1,34,23\n")
        let other = try passages(
            "\u{feff}\"qls_unit_id\",unit_collection_pt_timestamp,\"collection_point_id\",zone_id\r\n"
                + "\r\n\"7\",\"2024-03-12 08:00:06.1\",34,\"23\"\r\n\r\n")
        #expect(other.messages == plain.messages)
        #expect(other.columns == plain.columns)
        #expect(try passages("\(header)\n7,2024-03-12 08:00:06.1,34,23").messages == plain.messages)
        #expect(try passages(header).messages.isEmpty)
    }

    @Test func findsColumnsByName() throws {
        let file = try passages(
            "zone_id,qls_unit_id,collection_point_id,unit_collection_pt_timestamp\n23,7,34,2024-03-12 08:00:06.1\n")
        #expect(file.columns == [.zone, .unit, .collectionPoint, .timestamp])
        let message = try #require(file.messages.first)
        #expect(message.unit == 7 && message.zone == 23 && message.collectionPoint == 34)
    }

    @Test(arguments: [
        ("", "is empty: it must begin with the line \(header)"),
        (
            "1,2024-03-12 08:00:06.1,34,23\n",
            "line 1: the header must name the columns \(header) (missing: qls_unit_id"
        ),
        ("\(header),more\n", "line 1: the header must name the columns \(header)"),
        (concernHeader, "(missing: zone_id)"),
        ("zone_id,zone_id,qls_unit_id,collection_point_id\n", "(missing: unit_collection_pt_timestamp)"),
        ("\(header)\n1,2024-03-12 08:00:06.1,34\n", "line 2: the line has 3 fields instead of 4"),
        ("\(header)\n1,2024-03-12 08:00:06.1,34,23,\n", "line 2: the line has 5 fields instead of 4"),
        (
            "\(header)\n1,2024-03-12 08:00:06.1,34,23\nx1,2024-03-12 08:00:06.1,34,23\n",
            "line 3: qls_unit_id is 'x1', not a whole number from -2147483648 to 2147483647"
        ),
        ("\(header)\n1,2024-03-12 08:00:06.1,2147483648,23\n", "line 2: collection_point_id is '2147483648', not a"),
        ("\(header)\n1,2024-03-12 08:00:06.1,34,\n", "line 2: zone_id is '', not a whole number"),
        ("\(header)\n1,2024-03-12 08:00:06.1,34, 3\n", "line 2: zone_id is ' 3', not a whole number"),
        (
            "\(header)\n1,12.03.2024 08:00,34,23\n",
            "line 2: unit_collection_pt_timestamp is '12.03.2024 08:00', not a yyyy-MM-dd HH:mm:ss.S"
        ),
        ("\(header)\n\"1,2024-03-12 08:00:06.1,34,23\n", "line 2: a quoted field has no closing quote"),
        ("\(header)\n\"1\"2,2024-03-12 08:00:06.1,34,23\n", "line 2: a quoted field continues after its closing quote"),
        ("\(header)\n\u{1b}[2J,2024-03-12 08:00:06.1,34,23\n", "line 2: qls_unit_id is '\\x1b[2J', not"),
    ])
    func errorsNameFileLineAndExpectation(content: String, sentence: String) throws {
        let failure = #expect(throws: Failure.self) { try passages(content) }
        #expect(failure?.status == .badData)
        #expect(failure?.sentence.contains("units.csv") == true)
        #expect(failure?.sentence.contains(sentence) == true, "\(failure?.sentence ?? "")")
    }

    @Test func missingFile() {
        let failure = #expect(throws: Failure.self) { try PlantFile(path: "/nowhere/units.csv", kind: .passage) }
        #expect(failure == Failure("/nowhere/units.csv can't be read: No such file or directory", status: .noInput))
    }
}

@Suite struct ReplaySourceTests {
    @Test func sortsByTimeAndPassagesFirst() throws {
        let folder = try TestFolder()
        let units = try folder.file(
            "u.csv",
            """
            \(header)
            1,2024-03-12 08:00:02.0,34,23
            2,2024-03-12 08:00:01.0,34,23
            3,2024-03-12 08:00:02.00,34,23
            4,2024-03-12 08:00:02.5,34,23
            """)
        let concerns = try folder.file(
            "c.csv",
            """
            \(concernHeader)
            11,2024-03-12 08:00:02.0,34,23,5
            12,2024-03-11 23:00:00.0,34,23,5
            13,2024-03-12 08:00:02.0,34,23,5
            """)
        var source = try ReplaySource(ReplaySource.Files(units: units, concerns: concerns))
        #expect(source.count == 7)
        var order: [Int32] = []
        while let message = source.next() { order.append(message.unit) }
        #expect(order == [12, 2, 1, 3, 11, 13, 4])
    }

    @Test func findsTheDeliveredDayFromFolderOrProgram() throws {
        let folder = try TestFolder()
        let units = try folder.file("Fixtures/day/unit_collection_point.csv", "")
        let elsewhere = try TestFolder().url.path
        let executable = folder.url.appending(path: ".build/release/tfi-producer").path
        #expect(
            try ReplaySource.Files.delivered(currentFolder: folder.url.path, executable: nil).units == units)
        #expect(
            try ReplaySource.Files.delivered(currentFolder: elsewhere, executable: executable).units == units)
        let failure = #expect(throws: Failure.self) {
            try ReplaySource.Files.delivered(currentFolder: elsewhere, executable: "/usr/bin/tfi-producer")
        }
        #expect(failure?.status == .noInput)
    }
}
