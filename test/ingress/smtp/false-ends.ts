/** The variants of an end of data that some server or other has taken for one (SEC Consult, CERT VU#302671). */
export const falseEnds = [
  '\n.\n',
  '\n.\r\n',
  '\n.\r',
  '\r.\r',
  '\r.\n',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\n\n.\r\n',
  '\n\n.\n',
  '\r\n.\r\r\n',
  '\r\r.\r\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\0\n.\r\n',
  '\n\r.\r\n',
  '\n\r.\n\r',
];

