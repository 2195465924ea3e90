import PGWire

/// A table, view or foreign table as described by the catalog.
public struct TableShape: Sendable, Equatable {
    /// The unquoted schema and table names.
    public var name: TableName
    public var kind: Kind
    /// The columns in table order, without dropped ones.
    public var columns: [Column]
    /// The primary key's columns in order; empty if there is none.
    public var primaryKey: [String]
    /// The columns of each unique index that `ON CONFLICT` can use, including the primary key. Partial, deferrable,
    /// invalid and expression indexes are omitted.
    public var uniqueKeys: [[String]]
    /// The connection's privileges on the whole table.
    public var privileges: Privileges
    /// Whether row-level security applies to the user. `COPY FROM` then refuses the table.
    public var hasRowSecurity: Bool
    /// Whether a BEFORE INSERT trigger for each row may fill a column that must not be null.
    public var hasBeforeInsertTrigger: Bool
    /// Whether a BEFORE UPDATE trigger for each row may suppress an update.
    public var hasBeforeUpdateTrigger: Bool

    public init(
        name: TableName, kind: Kind = .table, columns: [Column], primaryKey: [String] = [],
        uniqueKeys: [[String]]? = nil, privileges: Privileges = .all, hasRowSecurity: Bool = false,
        hasBeforeInsertTrigger: Bool = false, hasBeforeUpdateTrigger: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.columns = columns
        self.primaryKey = primaryKey
        self.uniqueKeys = uniqueKeys ?? (primaryKey.isEmpty ? [] : [primaryKey])
        self.privileges = privileges
        self.hasRowSecurity = hasRowSecurity
        self.hasBeforeInsertTrigger = hasBeforeInsertTrigger
        self.hasBeforeUpdateTrigger = hasBeforeUpdateTrigger
    }

    public enum Kind: Sendable, Hashable {
        case table
        case partitionedTable
        case foreignTable
        case view
    }

    public struct Column: Sendable, Equatable {
        public var name: String
        public var type: ColumnType
        /// Whether the column or its type's domain refuses null.
        public var isNotNull: Bool
        /// Whether the database fills the column if a row omits it, by a default or as an identity.
        public var hasDefault: Bool
        /// Whether only the database writes the column: `GENERATED ALWAYS` as an expression or an identity.
        public var isGenerated: Bool
        /// The type in SQL, such as `numeric(10,2)` or `workshop.mood[]`.
        public var typeName: String
        /// The connection's privileges on this column, granted on it or on the table.
        public var privileges: Privileges

        public init(
            name: String, type: ColumnType, isNotNull: Bool = false, hasDefault: Bool = false,
            isGenerated: Bool = false, typeName: String? = nil, privileges: Privileges = .all
        ) {
            self.name = name
            self.type = type
            self.isNotNull = isNotNull
            self.hasDefault = hasDefault
            self.isGenerated = isGenerated
            self.typeName = typeName ?? "\(type)"
            self.privileges = privileges
        }
    }
}

extension TableShape {
    /// A user's privileges on a table or column. `delete` applies only to tables.
    public struct Privileges: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let insert = Privileges(rawValue: 1)
        public static let update = Privileges(rawValue: 2)
        public static let delete = Privileges(rawValue: 4)
        public static let select = Privileges(rawValue: 8)
        public static let all: Privileges = [.insert, .update, .delete, .select]
    }
}

/// A column's type including its modifier.
///
/// Source: PostgreSQL manual, "Data Types".
public indirect enum ColumnType: Sendable, Hashable {
    case bool
    case int2, int4, int8
    case float4, float8
    /// `numeric(precision, scale)`; nil if unlimited. The scale may be negative (PostgreSQL 15).
    case numeric(Precision?)
    case text
    /// `varchar(n)` in characters; nil if unlimited.
    case varchar(Int?)
    /// `char(n)` in characters.
    case char(Int)
    case bytea
    case date
    /// `precision`: digits of a second's fraction, 0 to 6; 6 by default.
    case time(precision: Int)
    case timestamp(precision: Int)
    case timestamptz(precision: Int)
    case interval
    case uuid
    case json, jsonb
    case inet
    /// The labels in the type's order.
    case enumeration([String])
    /// A domain: its base type, and whether it has a CHECK constraint, which only the server can evaluate.
    case domain(base: ColumnType, isChecked: Bool)
    /// `elementOID` is part of an array's binary form.
    case array(element: ColumnType, elementOID: UInt32)
    /// Any other type, whose values the server parses itself.
    case other

    public struct Precision: Sendable, Hashable {
        /// The total number of digits, 1 to 1,000.
        public var precision: Int
        /// The number of digits after the decimal point, -1,000 to 1,000.
        public var scale: Int

        public init(precision: Int, scale: Int) {
            self.precision = precision
            self.scale = scale
        }
    }
}
