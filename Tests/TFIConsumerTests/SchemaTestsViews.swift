import Foundation
import Testing

@testable import TFIConsumer

/// Compares the views with the columns that the dashboard needs, and with the generated day's numbers in
/// `Fixtures/day/expected.json`, which `Fixtures/make-day.py` counts without SQL.
@Suite("Schema views")
struct SchemaViewTests {
    static let columns = [
        "tile_total": ["day", "units"],
        "tile_nok": ["day", "units"],
        "tile_units_per_hour": ["day", "hour", "units"],
        "tile_current_production": ["day", "hour", "units", "plan"],
        "tile_units_per_zone": ["day", "zone_id", "units"],
        "tile_nok_per_zone": ["day", "zone_charged_id", "units"],
        "tile_not_ok_by_cp": ["day", "collection_point_id", "units"],
        "tile_concerns_per_hour": ["day", "hour", "units"],
        "tile_throughput": ["day", "produced", "without_concern", "share"],
        "unit_totals": ["zone_id", "units"],
        "fail_totals": ["zone_charged_id", "units"],
    ]

    @Test func viewsHaveTheColumnsOfTheDashboard() {
        let views = WorkshopSchema.views.map { ($0.name, $0.columns) }
        #expect(views.count == Self.columns.count)
        #expect(Dictionary(views, uniquingKeysWith: { first, _ in first }) == Self.columns)
    }

    @Test func viewsAreNamedWithTheirColumns() {
        let schema = WorkshopSchema(quotedName: "\"w\"")
        let statements = WorkshopSchema.views.map(schema.createView)
        for (view, columns) in Self.columns {
            let head = "CREATE OR REPLACE VIEW \"w\".\(view) (\(columns.joined(separator: ", "))) AS\n"
            #expect(statements.count { $0.hasPrefix(head) } == 1)
        }
    }

    @Test func parenthesesMatch() {
        for view in WorkshopSchema.views {
            let query = view.query(WorkshopSchema(quotedName: "\"w\""))
            #expect(query.count { $0 == "(" } == query.count { $0 == ")" }, "\(view.name)")
        }
    }

    @Test func generatedDayListsEachViewInOrder() throws {
        let expected = try Self.expectedViews()
        #expect(Set(expected.keys) == Set(Self.columns.keys))
        for (view, rows) in expected {
            #expect(!rows.isEmpty, "\(view)")
            #expect(rows.allSatisfy { $0.count == Self.columns[view]?.count }, "\(view)")
            // All rows are of one day, so they are ordered by the second column, or by the first if there is no day.
            let keys = rows.map { $0.first?.text == nil ? $0.first?.number : $0.dropFirst().first?.number }
            let numbers = keys.compactMap(\.self)
            #expect(numbers.count == rows.count, "\(view)")
            #expect(numbers == numbers.sorted(), "\(view)")
        }
    }

    @Test func generatedDayIsConsistent() throws {
        let expected = try Self.expectedViews()
        func column(_ index: Int, of view: String) throws -> [Double] {
            try #require(expected[view]).map { try #require($0[index].number) }
        }
        let total = try column(1, of: "tile_total")
        let perHour = try column(2, of: "tile_units_per_hour")
        #expect(total == [perHour.reduce(0, +)])
        #expect(try column(2, of: "tile_current_production").last == total.first)
        #expect(try column(1, of: "tile_throughput") == total)
        #expect(try column(2, of: "tile_units_per_zone") == column(1, of: "unit_totals"))
    }

    @Test func generatedDayUsesTheInitialPlan() throws {
        let plan = Dictionary(uniqueKeysWithValues: WorkshopSchema.referencePlan.map { (Double($0.hour), $0.units) })
        let rows = try #require(try Self.expectedViews()["tile_current_production"])
        #expect(rows.count == plan.count)
        for row in rows {
            let hour = try #require(row[1].number)
            #expect(row[3].number == plan[hour].map(Double.init))
        }
    }

    @Test func planNeverFalls() {
        let units = WorkshopSchema.referencePlan.map(\.units)
        #expect(units == units.sorted())
        #expect(WorkshopSchema.referencePlan.map(\.hour) == Array(8...16))
    }

    // MARK: The fixture

    /// A column of `expected.json`: a day or a number.
    enum Value: Decodable, Equatable {
        case text(String)
        case number(Double)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        var text: String? { if case .text(let text) = self { text } else { nil } }
        var number: Double? { if case .number(let number) = self { number } else { nil } }
    }

    static func expectedViews() throws -> [String: [[Value]]] {
        var root = URL(filePath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let file = root.appending(path: "Fixtures/day/expected.json")
        return try JSONDecoder().decode([String: [[Value]]].self, from: Data(contentsOf: file))
    }
}
