"""SBML models with a solution in closed form, as text.

X is made at a rate k and lost at a rate d X from its steady state k/d = 2; a drug D divides k by 1 + D. With a share s of k left,
X(t) / X(0) = s + (1 - s) exp(-d t).
"""

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
D_PER_H = 0.5


def sbml(body: str, species: str = "", parameters: str = "", rate: str = "") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="toy" name="Toy">
<listOfCompartments><compartment id="cell" spatialDimensions="3" size="4" constant="true"/></listOfCompartments>
<listOfSpecies><species id="X" initialConcentration="2" compartment="cell" hasOnlySubstanceUnits="false" boundaryCondition="false"
 constant="false"/>{species}</listOfSpecies>
<listOfParameters><parameter id="k" value="1" constant="false"/><parameter id="d" value="{D_PER_H}" constant="true"/>
<parameter id="twice" constant="false"/>{parameters}</listOfParameters>
<listOfRules><rateRule variable="X"><math {MATH}>{rate or made('<ci>k</ci>')}</math></rateRule>
<assignmentRule variable="twice"><math {MATH}><apply><times/><cn>2</cn><ci>X</ci></apply></math></assignmentRule></listOfRules>
{body}</model></sbml>"""


def made(rate: str) -> str:
    return f"<apply><minus/>{rate}<apply><times/><ci>d</ci><ci>X</ci></apply></apply>"


DIVIDED = made("<apply><divide/><ci>k</ci><apply><plus/><cn>1</cn><ci>D</ci></apply></apply>")
BLOCKED = sbml("")
PARAMETER = sbml("", parameters='<parameter id="D" value="0" constant="false"/>', rate=DIVIDED)
ALIKE = 'initialConcentration="0" compartment="cell" boundaryCondition="false" constant="false"'
ONE = 'stoichiometry="1" constant="true"'
LOSS = (  # D becomes Y, an amount, at a rate of 1
    f'<reaction id="loss" reversible="false" fast="false"><listOfReactants><speciesReference species="D" {ONE}/></listOfReactants>'
    f'<listOfProducts><speciesReference species="Y" {ONE}/></listOfProducts><kineticLaw><math {MATH}><apply><times/><ci>cell</ci>'
    "<ci>D</ci></apply></math></kineticLaw></reaction>"
)
SPECIES = sbml(
    f"<listOfReactions>{LOSS}</listOfReactions>",
    rate=DIVIDED,
    species=f'<species id="D" hasOnlySubstanceUnits="false" {ALIKE}/><species id="Y" hasOnlySubstanceUnits="true" {ALIKE}/>',
)
ENDLESS = sbml(  # an event every 1e-6 of a unit of time
    '<listOfEvents><event id="again" useValuesFromTriggerTime="true"><trigger initialValue="false" persistent="true"><math '
    f'{MATH}><apply><gt/><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol><ci>due</ci>'
    f'</apply></math></trigger><listOfEventAssignments><eventAssignment variable="due"><math {MATH}><apply><plus/><csymbol '
    'encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol><cn>0.000001</cn></apply></math>'
    "</eventAssignment></listOfEventAssignments></event></listOfEvents>",
    parameters='<parameter id="due" value="0" constant="false"/>',
)
