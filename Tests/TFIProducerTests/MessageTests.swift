import Foundation
import Testing

@testable import TFIProducer

/// The message as text.
func json(_ message: PlantMessage, _ encoder: MessageEncoder = MessageEncoder()) -> String {
    var encoder = encoder
    encoder.encode(message)
    let bytes = encoder.bytes
    return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

func timestamp(_ text: String) throws -> PlantTimestamp {
    try #require(PlantTimestamp(Array(text.utf8)[...]))
}

@Suite struct MessageTests {
    @Test func membersFollowTheColumnOrder() throws {
        let passage = PlantMessage(
            kind: .passage, unit: 71_206_360, timestamp: try timestamp("2024-03-12 08:00:06.1"), collectionPoint: 34,
            zone: 23)
        #expect(
            json(passage)
                == #"{"qls_unit_id":71206360,"unit_collection_pt_timestamp":"2024-03-12 08:00:06.1","#
                + #""collection_point_id":34,"zone_id":23}"#)
        let concern = PlantMessage(
            kind: .concern, unit: 1, timestamp: try timestamp("2024-03-12 16:59:59.9"), collectionPoint: 59, zone: 38,
            concern: 155)
        #expect(
            json(concern)
                == #"{"qls_unit_id":1,"unit_collection_pt_timestamp":"2024-03-12 16:59:59.9","#
                + #""collection_point_id":59,"concern_id":155,"zone_charged_id":38}"#)
        let turned = MessageEncoder(passageColumns: [.zone, .timestamp, .collectionPoint, .unit])
        #expect(
            json(passage, turned)
                == #"{"zone_id":23,"unit_collection_pt_timestamp":"2024-03-12 08:00:06.1","#
                + #""collection_point_id":34,"qls_unit_id":71206360}"#)
    }

    @Test func messagesAreValidJSON() throws {
        #expect(PlantMessage.Kind.allCases.map(\.key) == ["unit_collection_point", "unit_concern"])
        for number in [0, 9, 10, 99, -1, Int32.max, Int32.min] {
            let message = PlantMessage(
                kind: .concern, unit: number, timestamp: try timestamp("2024-01-01 00:00:00.0"),
                collectionPoint: number, zone: number, concern: number)
            let object = try JSONSerialization.jsonObject(with: Data(json(message).utf8)) as? [String: Any]
            #expect(object?.count == 5)
            for column in PlantMessage.Kind.concern.columns where column != .timestamp {
                #expect(object?[column.rawValue] as? Int == Int(number))
            }
        }
    }

    @Test(arguments: [
        "2020-05-27 08:05:24.0", "2024-02-29 23:59:59.999999", "2000-02-29 00:00:00", "1969-12-31 23:59:59.5",
        "0001-01-01 00:00:00.0", "9999-12-31 23:59:59.123", "1970-01-01 00:00:00.000",
    ])
    func timestampsRoundTrip(text: String) throws {
        let message = PlantMessage(
            kind: .passage, unit: 1, timestamp: try timestamp(text), collectionPoint: 1, zone: 1)
        #expect(json(message).contains("\"\(text)\""))
    }

    @Test(arguments: [
        "", "2024-02-30 08:00:00.0", "2023-02-29 08:00:00.0", "1900-02-29 08:00:00.0", "2024-13-01 08:00:00.0",
        "2024-00-01 08:00:00.0", "2024-01-00 08:00:00.0", "2024-01-01 24:00:00.0", "2024-01-01 08:60:00.0",
        "2024-01-01 08:00:60.0", "2024-01-01T08:00:00.0", "2024-01-01 08:00:00.", "2024-01-01 08:00:00.1234567",
        "2024-01-01 08:00:00.0Z", "2024-1-1 08:00:00.0", " 2024-01-01 08:00:00.0", "0000-01-01 08:00:00.0",
        "2024-01-01", "+024-01-01 08:00:00.0",
    ])
    func rejectsInvalidTimestamps(text: String) {
        #expect(PlantTimestamp(Array(text.utf8)[...]) == nil)
    }

    @Test func calendarAgreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for day in stride(from: -100_000, through: 400_000, by: 61) {
            let expected = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let date = PlantTimestamp.date(ofDay: Int64(day))
            #expect(
                [date.year, date.month, date.day].map { Int($0) } == [expected.year, expected.month, expected.day])
            #expect(PlantTimestamp.dayNumber(year: date.year, month: date.month, day: date.day) == Int64(day))
        }
    }
}
