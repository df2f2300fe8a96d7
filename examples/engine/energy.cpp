// Energy and largest force of the atoms in an extended xyz file, in C++17:
//     energy MODEL.pb ATOMS.xyz
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deeptf.hpp>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Atoms {
  std::vector<double> coord, cell;
  std::vector<int32_t> type;
};

Atoms read_atoms(const std::string& path, const std::vector<std::string>& type_map) {
  std::ifstream file(path);
  std::string line, element;
  if (!std::getline(file, line)) throw std::runtime_error(path + ": cannot be read");
  Atoms atoms;
  atoms.type.resize(std::stoul(line));
  atoms.coord.resize(3 * atoms.type.size());
  std::getline(file, line);
  const std::string lattice = "Lattice=\"";
  if (const auto at = line.find(lattice); at != std::string::npos) {
    std::istringstream numbers(line.substr(at + lattice.size()));
    atoms.cell.resize(9);
    for (double& number : atoms.cell) numbers >> number;
  }
  for (size_t i = 0; i < atoms.type.size(); ++i) {
    double* const x = &atoms.coord[3 * i];
    if (!(std::getline(file, line) && std::istringstream(line) >> element >> x[0] >> x[1] >> x[2]))
      throw std::runtime_error(path + ": holds fewer atoms than it says");
    const auto found = std::find(type_map.begin(), type_map.end(), element);
    if (found == type_map.end())
      throw std::runtime_error(element + ": the model does not know this element");
    atoms.type[i] = static_cast<int32_t>(found - type_map.begin());
  }
  return atoms;
}

int main(int count, char** given) try {
  if (count != 3) throw std::runtime_error("usage: energy MODEL.pb ATOMS.xyz");
  const deeptf::Model model(given[1]);
  const Atoms atoms = read_atoms(given[2], model.type_map());
  const deeptf::Results results = model.evaluate(atoms.coord, atoms.cell, atoms.type);
  double largest = 0;
  for (size_t i = 0; i < results.force.size(); i += 3)
    largest =
        std::max(largest, std::hypot(results.force[i], results.force[i + 1], results.force[i + 2]));
  std::printf("energy         %18.10f eV\n", results.energy[0]);
  std::printf("largest force  %18.10f eV/A\n", largest);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
