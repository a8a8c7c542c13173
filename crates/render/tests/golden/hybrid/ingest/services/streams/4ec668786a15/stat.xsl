<?xml version="1.0" encoding="utf-8"?>
<!-- Shows what nginx tells at /stat as a table: one row for each stream. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="utf-8"/>
  <xsl:template match="/rtmp">
    <html>
      <head>
        <title>Streams</title>
        <style>
          body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; color: #222; }
          table { border-collapse: collapse; }
          th, td { padding: .3em 1em; border-bottom: 1px solid #ddd; text-align: right; }
          th:first-child, td:first-child { text-align: left; }
        </style>
      </head>
      <body>
        <h1>Streams</h1>
        <table>
          <tr>
            <th>stream</th>
            <th>published from</th>
            <th>seconds</th>
            <th>video</th>
            <th>audio</th>
            <th>in, kbit/s</th>
            <th>out, kbit/s</th>
            <th>players</th>
          </tr>
          <xsl:for-each select="server/application/live/stream">
            <tr>
              <td><xsl:value-of select="../../name"/>/<xsl:value-of select="name"/></td>
              <td><xsl:value-of select="client[publishing]/address"/></td>
              <td><xsl:value-of select="floor(time div 1000)"/></td>
              <td>
                <xsl:value-of select="meta/video/codec"/>
                <xsl:text> </xsl:text>
                <xsl:value-of select="meta/video/width"/>×<xsl:value-of select="meta/video/height"/>
              </td>
              <td><xsl:value-of select="meta/audio/codec"/></td>
              <td><xsl:value-of select="round(bw_in div 1000)"/></td>
              <td><xsl:value-of select="round(bw_out div 1000)"/></td>
              <td><xsl:value-of select="count(client[not(publishing)])"/></td>
            </tr>
          </xsl:for-each>
        </table>
        <p>nginx <xsl:value-of select="nginx_version"/>, up for <xsl:value-of select="uptime"/> s.</p>
      </body>
    </html>
  </xsl:template>
</xsl:stylesheet>
