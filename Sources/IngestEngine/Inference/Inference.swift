import PGWire

/// Proposes tables and a mapping for a topic from a sample of its messages.
///
/// Messages are divided into kinds by key if keys with different fields occur. Each kind gets a table and a route.
/// Fields of nested objects become columns of their own, down to a limited depth.
public struct Inference: Sendable {
    /// The number of levels of nested objects that become columns; deeper ones are `jsonb`.
    public static let defaultDepth = 3
    /// The most kinds. More keys than this identify things rather than kinds of messages.
    static let maximumKinds = 16
    /// The most fields of an object that is treated as a structure. An object with more is treated as a map.
    static let maximumFields = 100

    /// A kind of message with its proposed table.
    public struct Kind: Sendable, Equatable {
        /// The key of the kind's messages; nil if the key doesn't matter.
        public var key: String?
        public var messages: Int
        public var table: TableName
        public var columns: [Column]
    }

    public struct Column: Sendable, Equatable {
        public var name: String
        public var path: JSONPath
        public var type: InferredType
        /// Whether every sample has a value that isn't null.
        public var isNotNull: Bool
        /// The number of samples with the field, including nulls.
        public var present: Int
        public var nulls: Int
    }

    public let topic: String
    public let kinds: [Kind]
    /// The number of messages without a value.
    public let tombstones: Int
    /// The number of messages that aren't JSON.
    public let unreadable: Int
    /// The number of messages whose JSON isn't an object.
    public let otherValues: Int

    /// Analyses a sample.
    ///
    /// - Parameters:
    ///   - topic: The topic's name.
    ///   - table: The table's name; nil to derive it from the topic or the key. With several kinds, each table gets
    ///     this name and the kind's key.
    ///   - depth: See ``defaultDepth``.
    ///   - messages: The keys and values of the sample.
    public init(
        topic: String, table: TableName? = nil, depth: Int = defaultDepth,
        messages: some Sequence<(key: [UInt8]?, value: [UInt8]?)>
    ) {
        var samples: [(key: String?, value: SampleJSON)] = []
        var (tombstones, unreadable, otherValues) = (0, 0, 0)
        for message in messages {
            guard let bytes = message.value else {
                tombstones += 1
                continue
            }
            guard let value = SampleJSON(bytes) else {
                unreadable += 1
                continue
            }
            guard case .object = value else {
                otherValues += 1
                continue
            }
            samples.append((message.key.flatMap { String(validating: $0, as: UTF8.self) }, value))
        }
        self.topic = topic
        (self.tombstones, self.unreadable, self.otherValues) = (tombstones, unreadable, otherValues)

        let groups = Self.groups(of: samples, depth: depth)
        var tables: Set<String> = []
        kinds = groups.map { key, tree in
            let base = table?.table ?? (groups.count == 1 ? topic : nil)
            let wanted = [base, groups.count == 1 ? nil : key ?? "other"].compactMap(\.self).joined(separator: "_")
            let name =
                groups.count == 1
                ? table?.table ?? ColumnNames.unique(wanted, &tables) : ColumnNames.unique(wanted, &tables)
            return Kind(
                key: groups.count == 1 ? nil : key, messages: tree.present,
                table: TableName(schema: table?.schema, table: name), columns: Self.columns(of: tree, depth: depth))
        }
    }

    // MARK: Kinds

    /// Groups the samples by key if keys have different fields; otherwise puts them into one group. Keys are in the
    /// order of their first samples. Samples without a key, which a route can't select, come last.
    private static func groups(
        of samples: [(key: String?, value: SampleJSON)], depth: Int
    ) -> [(key: String?, tree: FieldTree)] {
        var all = FieldTree()
        var order: [String?] = []
        var trees: [String?: FieldTree] = [:]
        for sample in samples {
            all.add(sample.value)
            if trees[sample.key] == nil {
                guard order.count <= maximumKinds else { continue }
                order.append(sample.key)
            }
            trees[sample.key, default: FieldTree()].add(sample.value)
        }
        guard !samples.isEmpty else { return [] }
        guard (2...maximumKinds).contains(order.count), haveDifferentFields(Array(trees.values)) else {
            return [(nil, all)]
        }
        let sorted = order.filter { $0 != nil } + order.filter { $0 == nil }
        return sorted.compactMap { key in trees[key].map { (key, $0) } }
    }

    /// Whether two groups share less than three quarters of their top-level fields, so that an optional field alone
    /// doesn't make a kind.
    private static func haveDifferentFields(_ trees: [FieldTree]) -> Bool {
        let sets = trees.map { Set($0.names) }
        return sets.indices.contains { first in
            sets[(first + 1)...].contains { second in
                let union = sets[first].union(second).count
                return union > 0 && sets[first].intersection(second).count * 4 < union * 3
            }
        }
    }

    private static func columns(of tree: FieldTree, depth: Int) -> [Column] {
        var names = ColumnNames.ofSystem
        return tree.leaves(depth: depth, maximumFields: maximumFields).map { leaf in
            Column(
                name: ColumnNames.unique(leaf.path.joined(separator: "_"), &names),
                path: JSONPath(steps: leaf.path.map(JSONPath.Step.field)), type: leaf.type,
                isNotNull: leaf.present == tree.present && leaf.nulls == 0, present: leaf.present, nulls: leaf.nulls)
        }
    }

    // MARK: Proposals

    /// One `CREATE TABLE` per kind.
    ///
    /// - Parameter quote: Quotes an identifier for SQL.
    public func createTables(quote: (String) throws -> String) rethrows -> String {
        try kinds.map { kind in
            let name = try ([kind.table.schema].compactMap(\.self) + [kind.table.table]).map(quote)
            let lines = try kind.columns.map { column in
                "    \(try quote(column.name)) \(column.type.rawValue)" + (column.isNotNull ? " NOT NULL" : "")
            }
            return "CREATE TABLE \(name.joined(separator: ".")) (\n\(lines.joined(separator: ",\n"))\n);\n"
        }.joined(separator: "\n")
    }

    /// One route per kind. A route names its columns only if one of them isn't the top-level field of the same name.
    public var mapping: Mapping {
        Mapping(
            routes: kinds.map { kind in
                let isByName = kind.columns.allSatisfy { $0.path.steps == [.field($0.name)] }
                return Route(
                    topic: (try? TopicSelector(topic)) ?? .name(topic), conditions: kind.key.map { [.key($0)] } ?? [],
                    table: kind.table,
                    columns: isByName ? nil : kind.columns.map { Route.Column(name: $0.name, source: .path($0.path)) })
            })
    }
}

/// Makes names for columns and tables that need no quotes in SQL, as far as their letters allow.
enum ColumnNames {
    /// The system columns of every table, whose names no other column can have.
    static let ofSystem: Set<String> = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]

    /// A valid name that isn't taken.
    ///
    /// - Parameter taken: The names in use; the new name is added.
    static func unique(_ wanted: String, _ taken: inout Set<String>) -> String {
        var base = ""
        for scalar in wanted.lowercased().unicodeScalars {
            let isWord = scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            base.unicodeScalars.append(isWord ? scalar : "_")
        }
        if base.isEmpty { base = "field" }
        if let first = base.unicodeScalars.first, first.properties.numericType != nil { base = "_" + base }
        var name = cut(base, to: 63)
        var count = 2
        while !taken.insert(name).inserted {
            let suffix = "_\(count)"
            name = cut(base, to: 63 - suffix.utf8.count) + suffix
            count += 1
        }
        return name
    }

    /// The text cut at a code point to at most `count` bytes, since Postgres limits a name's bytes. A single
    /// `Character` may have more bytes than a whole name.
    private static func cut(_ text: String, to count: Int) -> String {
        var text = text
        while text.utf8.count > count { text.unicodeScalars.removeLast() }
        return text
    }
}
