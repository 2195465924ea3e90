/// Refuses routes whose rows need an order that a batch doesn't keep.
///
/// A batch keeps the order of rows within one target: a table, some of its columns, and a mode. Targets are written
/// one after the other. So two routes that may write the same rows must have the same columns and mode, or read
/// different topics, between which Kafka keeps no order either.
struct RouteOrder {
    /// - Parameter file: The routes' file; empty if they come from several.
    static func check(_ routes: [BoundRoute], file: String) throws(BindingError) {
        for (index, route) in routes.enumerated() {
            for other in routes[..<index] where conflict(route, other) {
                let scope = RouteScope(file: file, route: route.route, table: route.table, user: "")
                throw scope.failure(
                    "another route\(other.route.line > 0 ? " (line \(other.route.line))" : "") writes to this table "
                        + "with other columns or another mode, so the order of their rows would be lost; give both the "
                        + "same columns, mode and key, or let them read different topics by name")
            }
        }
    }

    private static func conflict(_ first: BoundRoute, _ second: BoundRoute) -> Bool {
        guard first.table.name == second.table.name, mayShareTopic(first.route.topic, second.route.topic) else {
            return false
        }
        let action = Staging.Action(first.mode)
        if action == .append, Staging.Action(second.mode) == .append { return false }
        let columns = first.plan.columns.map(\.name)
        return action != Staging.Action(second.mode) || columns != second.plan.columns.map(\.name)
    }

    private static func mayShareTopic(_ first: TopicSelector, _ second: TopicSelector) -> Bool {
        if case .name(let one) = first, case .name(let other) = second { return one == other }
        return true
    }
}

extension Staging.Action {
    init(_ mode: BoundRoute.Mode) {
        switch mode {
        case .append: self = .append
        case .upsert(let key, _): self = .upsert(key: key)
        case .ignore(let key): self = .ignore(key: key)
        }
    }
}
