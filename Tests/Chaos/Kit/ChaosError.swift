/// Why an experiment could not be made.
package struct ChaosError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
