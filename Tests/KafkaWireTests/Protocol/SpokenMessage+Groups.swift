extension SpokenMessage {
    static let groups: [SpokenMessage] = []
}
