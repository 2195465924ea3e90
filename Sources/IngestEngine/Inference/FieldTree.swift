/// Statistics of one path in sample messages: how often it occurs, and with which types of values.
struct FieldTree {
    /// The number of messages in which the path has a value, including null.
    private(set) var present = 0
    private(set) var nulls = 0
    /// The type of the values that are neither null nor an object; nil if there are none.
    private(set) var type: InferredType?
    private(set) var objects = 0
    private(set) var names: [String] = []
    private(set) var children: [String: FieldTree] = [:]

    mutating func add(_ value: SampleJSON) {
        present += 1
        switch value {
        case .null: nulls += 1
        case .object(let fields):
            objects += 1
            for field in fields {
                if children[field.name] == nil { names.append(field.name) }
                children[field.name, default: FieldTree()].add(field.value)
            }
        default:
            guard let found = InferredType(value) else { return }
            type = type?.widened(by: found) ?? found
        }
    }

    /// A path that becomes a column.
    struct Leaf {
        let path: [String]
        let type: InferredType
        let present: Int
        let nulls: Int
    }

    /// The columns for the fields, in the order in which the samples first had them.
    ///
    /// - Parameters:
    ///   - depth: The number of object levels that become columns of their own. A deeper object becomes one `jsonb`
    ///     column.
    ///   - maximumFields: An object with more fields becomes one `jsonb` column, since its names are probably data.
    func leaves(depth: Int, maximumFields: Int, path: [String] = []) -> [Leaf] {
        names.flatMap { name -> [Leaf] in
            guard let child = children[name] else { return [] }
            let path = path + [name]
            let isFlat = child.type == nil && child.objects > 0
            if isFlat, depth > 1, !child.names.isEmpty, child.names.count <= maximumFields {
                return child.leaves(depth: depth - 1, maximumFields: maximumFields, path: path)
            }
            // A field that was always null gives no type.
            let type: InferredType = child.objects > 0 ? .jsonb : child.type ?? .text
            return [Leaf(path: path, type: type, present: child.present, nulls: child.nulls)]
        }
    }
}
