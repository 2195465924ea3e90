/// The synthetic plant's line: its stations in the order in which a unit passes them.
struct AssemblyLine: Sendable {
    struct Station: Sendable {
        let collectionPoint: Int32
        let zone: Int32
        /// Whether units are inspected here.
        let isInspection: Bool
    }

    let stations: [Station]
    /// The zones in the line's order, and how many of them a unit has passed at each station.
    let zones: [Int32]
    let zonesSeen: [Int]
    /// The indexes of the stations with an inspection.
    let inspections: [Int]

    /// The zones, each with its collection points. The last collection point of a zone is an inspection; in the last
    /// zone it is the one before.
    static let standard = AssemblyLine([
        (3, [11, 12, 13, 14]), (6, [15, 16, 17]), (16, [18, 19, 21, 22, 23]), (19, [24, 26, 27]),
        (23, [30, 31, 33, 34]), (25, [46, 47, 48, 49]), (31, [51, 52, 53]), (38, [54, 55, 56, 58, 59]),
        (44, [66, 68, 70]), (47, [71, 72, 73, 74]), (52, [77, 78, 80]), (56, [81, 82, 83, 86]),
        (63, [88, 89, 90]), (68, [36, 38, 40]),
    ])

    private init(_ line: [(zone: Int32, collectionPoints: [Int32])]) {
        var stations: [Station] = []
        var zonesSeen: [Int] = []
        for (index, part) in line.enumerated() {
            let inspected = index == line.count - 1 ? part.collectionPoints.count - 2 : part.collectionPoints.count - 1
            for (place, collectionPoint) in part.collectionPoints.enumerated() {
                stations.append(
                    Station(collectionPoint: collectionPoint, zone: part.zone, isInspection: place == inspected))
                zonesSeen.append(index + 1)
            }
        }
        self.stations = stations
        self.zonesSeen = zonesSeen
        zones = line.map(\.zone)
        inspections = stations.indices.filter { stations[$0].isInspection }
    }
}
