import CommandLineSupport
import PGWire

/// The bound routes of a run, and the tables that their rows are copied into.
public struct IngestPlan: Sendable {
    /// A mapping and its file.
    public struct Source: Sendable {
        /// The file; empty if the mapping comes from the command line.
        public let file: String
        public let mapping: Mapping

        public init(file: String, mapping: Mapping) {
            self.file = file
            self.mapping = mapping
        }
    }

    /// The destination of one COPY: a table and some of its columns.
    struct Target: Sendable, Equatable {
        let table: TableName
        let columns: [String]
        /// How rows reach the table through a temporary one; nil if they never do.
        var staging: Staging?
        /// Whether rows are always staged. If false, they are staged only during the search for refused records.
        var isStaged: Bool { staging.map { $0.action != .append } ?? false }
    }

    public let routes: [BoundRoute]
    /// The distinct targets, in the order of the routes.
    let targets: [Target]
    /// The index of each route's target.
    let targetOfRoute: [Int]
    /// The table name of each target for totals, without the schema if no other table has this name.
    public let labels: [String]
    public private(set) var unrouted: Mapping.Unrouted
    /// Detects changes of the tables; nil only if there are no routes.
    let fingerprint: TableFingerprint?
    /// The consumer group that dead letters name; nil if unknown.
    let group: String?

    /// - Parameter quote: Quotes an identifier for use in statements.
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
            // All rows of a record are dropped together, so some rows may have to be removed again.
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

    /// The same plan, except that a record without a route becomes a dead letter.
    var rejectingUnrouted: IngestPlan {
        var plan = self
        plan.unrouted = .deadLetter
        return plan
    }

    /// Whether a late record may replace or delete a newer row.
    public var replacesRows: Bool {
        routes.contains { route in if case .upsert = route.route.mode { true } else { false } }
    }

    /// Binds mappings to the tables as they are now.
    ///
    /// - Parameter group: The consumer group that dead letters name; nil if unknown.
    /// - Throws: `BindingError`; `Failure` if settings differ between the files; `PostgresError`.
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
        // The fingerprint is missing if a table was dropped during the lookup; the next lookup reports that it is
        // missing.
        guard let plan else { return try await bind(sources, group: group, connection) }
        return plan
    }

    /// The settings that all sources share, as a mapping without routes.
    ///
    /// - Throws: `Failure` if they differ.
    public static func commonSettings(_ sources: [Source]) throws(Failure) -> Mapping {
        var settings = sources.first?.mapping ?? Mapping(routes: [])
        settings.routes = []
        for source in sources {
            var other = source.mapping
            other.routes = []
            guard other != settings else { continue }
            throw Failure(
                "\(ShownArgument.name(source.file)): its unknown_fields, unrouted, dead_letter_limit or "
                    + "on_partition_error differ from \(ShownArgument.name(sources[0].file)); all files need "
                    + "the same values", status: .configuration)
        }
        return settings
    }
}
