/**
 * The part of JUnit's XML that readers agree on, as an XML schema (what Jenkins's junit-10.xsd says of these elements), for xmllint.
 */
const counts = (names: readonly string[]) =>
  names.map((name) => `<xs:attribute name="${name}" type="xs:nonNegativeInteger" use="required"/>`).join('');
const said = (name: string, type: boolean) =>
  `<xs:element name="${name}"><xs:complexType mixed="true">${type ? '<xs:attribute name="type" type="xs:string"/>' : ''}<xs:attribute name="message" type="xs:string"/></xs:complexType></xs:element>`;

export const JUNIT_SCHEMA = `<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
${said('failure', true)}${said('error', true)}${said('skipped', false)}
<xs:element name="testcase"><xs:complexType><xs:choice minOccurs="0">
<xs:element ref="skipped"/><xs:element ref="error"/><xs:element ref="failure"/></xs:choice>
<xs:attribute name="classname" type="xs:string" use="required"/><xs:attribute name="name" type="xs:string" use="required"/>
<xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
<xs:element name="testsuite"><xs:complexType><xs:sequence><xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute name="name" type="xs:string" use="required"/>${counts(['tests', 'failures', 'errors', 'skipped'])}
<xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
<xs:element name="testsuites"><xs:complexType><xs:sequence><xs:element ref="testsuite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute name="name" type="xs:string"/>${counts(['tests', 'failures', 'errors'])}
<xs:attribute name="time" type="xs:decimal"/></xs:complexType></xs:element>
</xs:schema>
`;
