import CommandLineSupport
import PGWire

/// The bound routes of a run, and the tables that their rows are copied into.
public struct IngestPlan: Sendable {
    /// A mapping and where it comes from.
    public struct Source: Sendable {
        /// The file; empty for a mapping from the command line.
        public let file: String
        public let mapping: Mapping

        public init(file: String, mapping: Mapping) {
            self.file = file
            self.mapping = mapping
        }
    }

    /// What one COPY of a batch fills: a table and some of its columns.
    struct Target: Sendable, Equatable {
        let table: TableName
        let columns: [String]
        /// How rows get into the table by way of a temporary one; nil if they never do.
        var staging: Staging?
        /// Whether they always do. Otherwise only while refused records are searched for.
        var isStaged: Bool { staging.map { $0.action != .append } ?? false }
    }

    public let routes: [BoundRoute]
    /// Without duplicates, in the order of the routes.
    let targets: [Target]
    /// For each route the index of its target.
    let targetOfRoute: [Int]
    /// For each target its table's name in totals: without the schema if no other table has this name.
    public let labels: [String]
    public private(set) var unrouted: Mapping.Unrouted
    /// Notices changes of the tables; nil only without routes.
    let fingerprint: TableFingerprint?
    /// The group that reads, for dead letters.
    let group: String?

    /// - Parameter quote: Puts an identifier in quotes, for statements.
    init<QuotingError>(
        _ routes: [BoundRoute], unrouted: Mapping.Unrouted = .deadLetter, fingerprint: TableFingerprint? = nil,
        group: String? = nil,
        quote: (String) throws(QuotingError) -> String
    ) throws(QuotingError) {
        self.routes = routes
        self.unrouted = unrouted
        self.fingerprint = fingerprint
        self.group = group
        var targets: [Target] = []
        var targetOfRoute: [Int] = []
        for route in routes {
            let (name, columns) = (route.table.name, route.plan.columns.map(\.name))
            let action = Staging.Action(route.mode)
            let known = targets.firstIndex {
                $0.table == name && $0.columns == columns && ($0.staging?.action ?? .append) == action
            }
            let index = known ?? targets.count
            if known == nil { targets.append(Target(table: name, columns: columns)) }
            // All rows of a record are left out together, which needs a way to take some back.
            if targets[index].staging == nil, action != .append || route.route.each != nil {
                targets[index].staging = try Staging(
                    action, table: route.table, columns: columns, number: index, quote: quote)
            }
            targetOfRoute.append(index)
        }
        self.targetOfRoute = targetOfRoute
        let names = Set(targets.map(\.table))
        labels = targets.map { target in
            names.count { $0.table == target.table.table } == 1 ? target.table.table : target.table.text
        }
        self.targets = targets
    }

    /// The same plan, for which a record that no route takes is rejected.
    var rejectingUnrouted: IngestPlan {
        var plan = self
        plan.unrouted = .deadLetter
        return plan
    }

    /// Whether a record that comes late may replace a newer row, or delete it.
    public var replacesRows: Bool {
        routes.contains { route in if case .upsert = route.route.mode { true } else { false } }
    }

    /// Binds mappings to the tables as they are now.
    ///
    /// - Parameter group: The group that reads, for dead letters.
    /// - Throws: `BindingError`; `Failure` for settings that differ between the files; `PostgresError`.
    public static func bind(
        _ sources: [Source], group: String? = nil, _ connection: PostgresConnection
    ) async throws -> IngestPlan {
        let settings = try commonSettings(sources)
        let names = sources.flatMap(\.mapping.routes).map(\.table)
        let catalog = try await connection.transaction { session in try Catalog.read(names, &session) }
        let plan: IngestPlan? = try await connection.transaction { session in
            let routes = try Binder.bind(sources, to: catalog, &session)
            guard let fingerprint = catalog.fingerprint else { return nil }
            return try IngestPlan(routes, unrouted: settings.unrouted, fingerprint: fingerprint, group: group) {
                (name) throws(PostgresError) in try session.quoted(name)
            }
        }
        // Without a fingerprint a table was dropped while it was looked up: the next look finds that it is missing.
        guard let plan else { return try await bind(sources, group: group, connection) }
        return plan
    }

    /// A mapping without routes that has the settings of all sources.
    public static func commonSettings(_ sources: [Source]) throws(Failure) -> Mapping {
        var settings = sources.first?.mapping ?? Mapping(routes: [])
        settings.routes = []
        for source in sources {
            var other = source.mapping
            other.routes = []
            guard other != settings else { continue }
            throw Failure(
                "\(ShownArgument.name(source.file)): its unknown_fields, unrouted, dead_letter_limit or "
                    + "on_partition_error differ from those of \(ShownArgument.name(sources[0].file)); give all files "
                    + "the same", status: .configuration)
        }
        return settings
    }
}
