import PGWire
import Testing

@testable import TFIConsumer

@Suite("Rows from messages")
struct RowMapperTests {
    @Test func everyFormOfTheSameObjectIsTheSameRow() {
        let forms = [
            Passage().json,
            " " + Passage().json + "\n",
            #"{"zone_id":23,"collection_point_id":34,"unit_collection_pt_timestamp":"2024-03-12 08:00:06.1","qls_unit_id":71206360}"#,
            #"""
            	{
              "qls_unit_id" : 71206360 ,
              "unit_collection_pt_timestamp":	"2024-03-12 08:00:06.1",
              "collection_point_id": 34, "zone_id": 23
            }

            """#,
            "\r\n" + #"{ "qls_unit_id": 71206360, "unit_collection_pt_timestamp": "2024-03-12 08:00:06.1", "#
                + #""collection_point_id": 34, "zone_id": 23 }"#,
            #"{"qls_unit_id":71206360,"unit_collection_pt_timestamp":"2024-03-12T08:00:06.100000","#
                + #""collection_point_id":34,"zone_id":23}"#,
            // Escapes in a name and in a text.
            #"{"qls\u005funit\u005Fid":71206360,"unit_collection_pt_timestamp":"2024-03-12\u002008:00:06.1","#
                + #""collection_point_id":34,"zone_id":23}"#,
        ]
        for form in forms { #expect(mapPassage(form) == Passage.row, "\(form)") }
    }

    @Test func fieldsWithoutAColumnArePassedOver() {
        let values = [
            "null", "true", "false", "0", "-0", "-1.5e+10", "1E5", "0.25", "\"\"", "\"a \\\"quoted\\\" text\"",
            "\"\\ud83d\\ude00 \\b\\f\\n\\r\\t\\/\\\\\"", "\"Grüße 日本 🏭\"", "[]", "{}", "[1,[2,[3,{\"a\":[]}]],\"x\"]",
            "{\"qls_unit_id\":\"inside another object it is another field\"}", " [ 1 , 2 ] ",
        ]
        for value in values {
            let first = "{\"extra\":\(value)," + Passage().json.dropFirst()
            let last = Passage().json.dropLast() + ",\"größe\":\(value)}"
            #expect(mapPassage(first) == Passage.row, "\(first)")
            #expect(mapPassage(String(last)) == Passage.row, "\(last)")
        }
    }

    @Test func namesThatOnlyResembleAColumnAreOtherFields() {
        for name in ["QLS_UNIT_ID", "qls_unit_id ", " qls_unit_id", "qls_unit_i", "qls_unit_idd", ""] {
            let json = "{\"\(name)\":1,\(Passage().json.dropFirst())"
            #expect(mapPassage(json) == Passage.row, "\(json)")
        }
    }

    @Test func ofFieldsWithTheSameNameTheLastCounts() {
        let json = #"{"zone_id":1,"qls_unit_id":2,"qls_unit_id":3,"# + Passage().json.dropFirst()
        #expect(mapPassage(json) == Passage.row)
        let later = Passage().json.dropLast() + #","zone_id":99,"qls_unit_id":-7}"#
        #expect(mapPassage(String(later)) == passageRow(-7, Passage.microseconds, 34, 99))
    }

    @Test func integersReachToTheEndsOfTheColumn() {
        let values: [(String, Int32)] = [
            ("0", 0), ("-0", 0), ("-1", -1), ("2147483647", .max), ("-2147483648", .min),
        ]
        for (text, value) in values {
            #expect(mapPassage(Passage(zone: text).json) == passageRow(71_206_360, Passage.microseconds, 34, value))
            // The same by the way for JSON in any form.
            #expect(
                mapPassage(" " + Passage(zone: text).json) == passageRow(71_206_360, Passage.microseconds, 34, value))
        }
    }

    @Test func theKeySaysWhichTable() throws {
        let mapper = RowMapper()
        let keys: [([UInt8], String)] = [
            (Array("unit_collection_point".utf8), "ucp"), (Array("unit_concern".utf8), "uc"),
        ]
        for (key, table) in keys {
            let index = try unsafe mapper.table(forKey: key.span.bytes)
            #expect(MessageSchema.all[index].table == table)
        }
    }

    @Test func aConcernHasItsOwnFields() {
        var mapper = RowMapper()
        let json = """
            {"qls_unit_id":1,"unit_collection_pt_timestamp":"2000-01-01 00:00:00.0","collection_point_id":2,\
            "concern_id":3,"zone_charged_id":4}
            """
        let row: [UInt8] = [
            0, 5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0,
            0, 3, 0, 0, 0, 4, 0, 0, 0, 4,
        ]
        #expect(mapper.map(key: Array("unit_concern".utf8), value: Array(json.utf8)) == .row(row))
        #expect(
            mapper.map(key: Array("unit_collection_point".utf8), value: Array(json.utf8))
                == .rejected("the field zone_id is missing"))
    }

    @Test func aMapperRemembersNothingWrongOfTheMessageBefore() {
        var mapper = RowMapper()
        let key = Array("unit_collection_point".utf8)
        for time in ["2024-02-29 00:00:00.0", "2023-02-29 00:00:00.0", "2024-02-29 00:00:00.0", "2024-02-30 00:00:00"] {
            let json = Array(Passage(time: "\"\(time)\"").json.utf8)
            #expect(mapper.map(key: key, value: json) == mapPassage(json), "\(time)")
        }
    }
}
